// webpack as a promise, that fails with what webpack reports. Warnings are failures, too: users see them at every build.

import bundler from 'webpack';
import { HERE } from './install.mjs';

export async function webpack(options) {
  const compiler = bundler({ mode: 'production', context: HERE, ...options });
  const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
  await new Promise((resolve) => compiler.close(resolve));
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  const complaints = [...errors, ...warnings].map(({ message }) => message);
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
}

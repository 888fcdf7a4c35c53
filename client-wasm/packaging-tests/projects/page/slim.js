import { connect } from 'petasus/slim';
import { report } from './report.js';

report(connect);

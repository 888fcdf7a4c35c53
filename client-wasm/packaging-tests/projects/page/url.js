import { connect } from 'petasus/url';
import { report } from './report.js';

report(connect);

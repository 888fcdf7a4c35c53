import { connect } from 'petasus';
import { report } from './report.js';

report(connect);

// fox-wamp on the port of the first argument, without its log.

const Router = require('fox-wamp');

const router = new Router();
router.listenWAMP({ host: '127.0.0.1', port: Number(process.argv[2]) });

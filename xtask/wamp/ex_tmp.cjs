const autobahn=require('autobahn');
const connection = new autobahn.Connection({ url: "ws://127.0.0.1:38123/ws", realm: "default" });
connection.onopen = async (session) => {
  await session.subscribe("news", ([text]) => { console.log(text); process.exit(0); }, { match: "prefix" });
  console.log(await session.call("com.example.add", [2, 3]));
  require('http').request({port:38123,method:'POST',path:'/pub/news/sport'}).end('one all');
};
connection.open();
setTimeout(()=>process.exit(1),5000);

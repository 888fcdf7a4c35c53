// What the examples in the documentation run in: a broker of their own, and a client of it.
{
    fn run<F>(example: F)
    where
        F: AsyncFnOnce(petasus::Client) -> Result<(), petasus::Error>,
    {
        let mut config = petasus_broker::config::Config {
            listen: vec!["http://127.0.0.1:0".parse().expect("it is a URL")],
            ..Default::default()
        };
        config.admin.listen = None;
        let runtime = tokio::runtime::Runtime::new().expect("there are threads");
        let broker = petasus_broker::Broker::builder().config(config).build().expect("it is a configuration");
        runtime.block_on(async {
            let server = broker.bind().await.expect("a port is free");
            let url = server.addresses()[0].clone();
            tokio::spawn(server.run(std::future::pending()));
            let client = petasus::Client::connect(&url).await.expect("the broker listens");
            example(client).await.expect("the example runs");
        });
    }
    run
}

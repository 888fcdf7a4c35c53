// Keeps a program alive that does not catch its own errors: `node --import ./survive.mjs PROGRAM`.

process.on("uncaughtException", (error) => console.error(error));

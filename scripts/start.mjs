console.log("Ballast is at its very beginning: there is nothing to start yet. Try `npm test`.");

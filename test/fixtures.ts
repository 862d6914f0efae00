/* What tests start from: the real deployment with two markets, and verbs to play with it. Nothing here is mocked. */
export * from "../scripts/lib/world.js";

// Removes what an earlier build left, so that nothing stale is packed.
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

rmSync(fileURLToPath(new URL("../../dist", import.meta.url)), { recursive: true, force: true });

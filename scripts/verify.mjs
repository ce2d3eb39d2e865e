/** `npm run verify`: scripts/verify.ts on the pinned Node, stopped when npm is killed. */
import { runNode } from './bootstrap.mjs'

process.exitCode = await runNode(['scripts/verify.ts', ...process.argv.slice(2)])

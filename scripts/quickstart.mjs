/** `npm run quickstart`: see infra/local/quickstart.ts, which runs on packages that may still have to be installed. */
import { installPackages, runNode } from './bootstrap.mjs'

await installPackages()
process.exitCode = await runNode(['infra/local/quickstart.ts', ...process.argv.slice(2)])

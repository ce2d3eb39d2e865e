/**
 * `npm test`: installs what is missing, then everything that can be checked: `npm run verify`, and the end-to-end tests
 * against real nats-server, Postgres and Dovecot. The last line says how many tests passed and failed.
 */
import { installPackages, runNode } from './bootstrap.mjs'

await installPackages()
process.exitCode = await runNode(['tests/run-all.ts'])

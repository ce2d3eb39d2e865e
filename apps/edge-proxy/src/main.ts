#!/usr/bin/env node
/** The process `imapfleet-edge`. Handles signals before it loads other modules, so that no signal can end it during the start. */
import { Signals } from './signals.ts'

const signals = new Signals()
// For glibc: a lookup ends after two seconds for each name server instead of ten. The process cannot exit during a lookup.
process.env['RES_OPTIONS'] ??= 'timeout:1 attempts:2'
const { main } = await import('./run.ts')
await main(signals)

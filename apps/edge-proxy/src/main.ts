#!/usr/bin/env node
/** The process `imapfleet-edge`: takes signals before it loads anything else, so that none of them can end it half started. */
import { Signals } from './signals.ts'

const signals = new Signals()
// For glibc: lookups of names end after two seconds for each name server, not ten. Before that, the process cannot exit.
process.env['RES_OPTIONS'] ??= 'timeout:1 attempts:2'
const { main } = await import('./run.ts')
await main(signals)

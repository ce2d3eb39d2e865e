#!/usr/bin/env node
/** The process `imapfleet-edge`: takes signals before it loads anything else, so that none of them can end it half started. */
import { Signals } from './signals.ts'

const signals = new Signals()
const { main } = await import('./run.ts')
await main(signals)

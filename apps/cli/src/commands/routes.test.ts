import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { routes } from '@imapfleet/api'

/** Routes without a command, and why. */
const withoutCommand: Readonly<Record<string, string>> = {
  listConfigKeys: 'for the console; the command has the schema itself (config keys)',
  importConf: 'for the console; the command reads the file itself (config import)',
  parseLayerText: 'for the console; the command reads the file itself (config apply)',
  readRolloutHealth: 'for the console, which shows the figures while a rollout runs',
  readFleetMetrics: 'for Prometheus',
  signIn: 'for the console',
  signOut: 'for the console',
  readSession: 'for the console',
  allowLogin: 'for the console',
  allowDeviceLogin: 'for the console',
}

const sources = ['../*.ts', '*.ts', '../../../../packages/client/src/index.ts']
const commands = globSync(sources, { cwd: import.meta.dirname })
  .filter((file) => !file.includes('.test'))
  .map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8'))
  .join('\n')
const isUsed = (name: string) => new RegExp(`\\b${name}\\b`).test(commands)

test('every route is used by a command, or has a reason why not', () => {
  const unused = Object.keys(routes).filter((name) => !isUsed(name) && !Object.hasOwn(withoutCommand, name))
  assert.deepEqual(unused, [], 'add a command, or list the route here with the reason')
  const needless = Object.keys(withoutCommand).filter((name) => !Object.hasOwn(routes, name) || isUsed(name))
  assert.deepEqual(needless, [], 'take the route out of the list')
})

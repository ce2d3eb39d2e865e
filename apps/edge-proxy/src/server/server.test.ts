import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverAt } from './scripted-server.test-support.ts'

test('the address of a client is read only if an ID has to name it, because reading needs a system call', () => {
  let reads = 0
  const client = {
    get address() {
      reads++
      return '192.0.2.7'
    },
    ids: [[['name', 'webmail']]] as [string, string][][],
  }
  assert.deepEqual(serverAt(143).idCommands(client), ['ID ("name" "webmail")'])
  assert.equal(reads, 0)
  assert.deepEqual(serverAt(143, { clientAddress: 'id' }).idCommands(client), [
    'ID ("x-originating-ip" "192.0.2.7")',
    'ID ("name" "webmail")',
  ])
})

test('a mail server does not get page hints, which are for the edge', () => {
  const ids = [
    [
      ['name', 'webmail'],
      ['x-page', 'show'],
    ],
    [['x-page-uid', '31']],
  ] as [string, string][][]
  const client = { address: '192.0.2.7', ids }
  assert.deepEqual(serverAt(143).idCommands(client), ['ID ("name" "webmail")'])
  assert.deepEqual(serverAt(143, { clientAddress: 'id' }).idCommands({ ...client, mayNameUser: true }), [
    'ID ("x-originating-ip" "192.0.2.7")',
    'ID ("name" "webmail")',
  ])
})

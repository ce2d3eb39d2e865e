/** A mailbox at which the server closes the connection each time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginAhead, knowledgeOf, list, listing, status } from './ahead.test-support.ts'

test('a mailbox that makes the server disconnect each time does not pause answer-ahead for other users', async () => {
  const knowledge = knowledgeOf(list)
  knowledge.answered(4)
  const first = await listing({}, knowledge)
  first.scripted.socket.destroy()
  await first.ended
  assert.equal(knowledge.commandsMax(0), 1)
  const { fromClient, up, scripted, ended, logged } = await beginAhead(knowledge)
  fromClient(`a ${status}\r\n`)
  await up(2)
  scripted.socket.destroy()
  await ended
  assert.equal(knowledge.commandsMax(0, 'main joe'), 0)
  assert.equal(knowledge.commandsMax(0), 1)
  assert.ok(!logged.some((line) => line.includes('ahead_paused')))
})

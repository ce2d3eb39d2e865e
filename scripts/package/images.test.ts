import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { edgeEnvironment, edgeNodeFlags, repository } from '@imapfleet/local'

test('the image starts the edge with the flags and the environment of the package', () => {
  const file = readFileSync(join(repository, 'infra/docker/edge.Dockerfile'), 'utf8')
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(file)?.[1] ?? '[]'
  const lib = '/usr/lib/imapfleet/edge'
  assert.deepEqual(JSON.parse(entry), [`${lib}/node`, ...edgeNodeFlags, `${lib}/imapfleet-edge.mjs`])
  const variables = (/^ENV (.*)$/m.exec(file)?.[1] ?? '').split(' ').map((each) => each.split('='))
  assert.deepEqual(Object.fromEntries(variables), { PATH: '/usr/bin', ...edgeEnvironment })
})

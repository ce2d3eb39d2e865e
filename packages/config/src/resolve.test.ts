import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { resolveYaml, resolveConfig } from './resolve.ts'
import { printProblem } from './problem.ts'

/** Any UTF-16 at all, control characters and lone surrogates included. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))

function problemsIn(text: string): string[] {
  const loaded = resolveYaml(text)
  assert.ok(!loaded.ok)
  return loaded.problems.map((problem) => printProblem(problem, 'edge.yaml'))
}

test('an empty file gives the defaults', () => {
  for (const text of ['', '# only a comment\n', '{}', '\uFEFF']) {
    const loaded = resolveYaml(text)
    assert.ok(loaded.ok)
    assert.equal(loaded.config.listeners['imap']?.port, 143)
    assert.deepEqual(loaded.document, {})
  }
})

test('the document has what the file says, without the defaults', () => {
  const loaded = resolveYaml('pool: { usesMax: 5 }\n')
  assert.ok(loaded.ok)
  assert.deepEqual(loaded.document, { pool: { usesMax: 5 } })
  assert.equal(loaded.config.pool.idleTimeoutMs, 300_000)
})

test('all mistakes are reported together, each with its line', () => {
  const text = `listeners:
  imap:
    port: 99999
    tls: starttls
upstreams:
  main:
    hosts: [a b]
    certFile: /cert.pem
    bogus:
      deep: 1
routes:
  - upstream: nowhere
  - {}
pool:
  idleTimeoutMs: soon
poool: {}
`
  assert.deepEqual(problemsIn(text), [
    'edge.yaml:2: listeners.imap.certFile is required with tls: starttls',
    'edge.yaml:2: listeners.imap.keyFile is required with tls: starttls',
    'edge.yaml:3: listeners.imap.port must be at most 65535, not 99999',
    'edge.yaml:7: upstreams.main.hosts.0 must be a host name or an address, without a port, not "a b"',
    'edge.yaml:8: upstreams.main.certFile needs keyFile as well',
    'edge.yaml:9: upstreams.main.bogus is not a known key',
    'edge.yaml:12: routes.0.upstream names nowhere, but there is no such upstream',
    'edge.yaml:13: routes.1.upstream is missing; it must be text',
    'edge.yaml:15: pool.idleTimeoutMs must be a number, not "soon"',
    'edge.yaml:16: poool is not a known key; did you mean pool?',
  ])
})

test('the message for a misplaced key names the sections that have it', () => {
  assert.deepEqual(problemsIn('idleTimeoutMs: 5\nusesMax: 1\n'), [
    'edge.yaml:1: idleTimeoutMs is not a known key; did you mean clients.idleTimeoutMs or pool.idleTimeoutMs?',
    'edge.yaml:2: usesMax is not a known key; did you mean pool.usesMax?',
  ])
})

test('a refused secret is never shown', () => {
  const upstream = 'upstreams: { main: { masterUser: m, sharedSecret: 271828, masterPassword: [314159] } }'
  const printed = problemsIn(upstream).join('\n')
  assert.match(printed, /sharedSecret must be text/)
  assert.doesNotMatch(printed, /271828|314159/)
})

test('the placeholder of a secret is refused as a secret', () => {
  const problems = problemsIn(
    'upstreams: { main: { masterUser: m, masterPassword: (redacted), sharedSecret: s } }',
  )
  assert.deepEqual(problems, [
    'edge.yaml:1: upstreams.main.masterPassword is the placeholder that is shown instead of a secret; write the secret itself',
  ])
})

test('a secret in the address of a NATS server is refused without being shown', () => {
  const printed = problemsIn('fleet: { servers: ["nats://user:hunter2@hub:4222"] }').join('\n')
  assert.match(printed, /tokenFile or credentialsFile/)
  assert.doesNotMatch(printed, /hunter2/)
})

test('a document that is not a mapping is refused', () => {
  for (const text of ['42', '- a\n- b', 'words', 'null: 1']) assert.equal(problemsIn(text).length, 1, text)
})

test('broken YAML is reported with its line, never thrown', () => {
  assert.match(
    problemsIn('pool:\n  usesMax: 1\n  usesMax: 2\n')[0]!,
    /^edge\.yaml:3: Map keys must be unique/,
  )
  assert.match(problemsIn('pool: {\n')[0]!, /^edge\.yaml:\d: /)
  assert.match(problemsIn('a: &x 1\nb: *x\n')[0]!, /^edge\.yaml:2: aliases/)
  assert.match(problemsIn('a: *nothing\n')[0]!, /^edge\.yaml:1: /)
  assert.match(problemsIn('{}\n---\n{}\n')[0]!, /document/)
  assert.match(problemsIn('['.repeat(20_000))[0]!, /edge\.yaml/)
})

test('hostile keys are refused like any unknown key', () => {
  assert.deepEqual(problemsIn('__proto__: { pool: 1 }\nconstructor: 1\na.b: 1\n'), [
    'edge.yaml:1: __proto__ is not a known key',
    'edge.yaml:2: constructor is not a known key',
    'edge.yaml:3: a.b is not a known key',
  ])
  assert.deepEqual(problemsIn('listeners: { Ünicode: {} }'), [
    'edge.yaml:1: listeners.Ünicode has an invalid name; it must be 1 to 63 lower-case letters, digits, - or _, and begin with a letter or digit',
  ])
})

test('resolving never throws, whatever the text is', () => {
  const words = [
    'pool',
    ':',
    ' ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '"',
    "'",
    '#',
    '!',
    '|',
    '>',
    '%',
    '1',
    '\t',
    '? ',
  ]
  const yamlish = fc.array(fc.constantFrom(...words)).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(yamlish, anyText), (text) => {
      const loaded = resolveYaml(text)
      assert.ok(loaded.ok || loaded.problems.length > 0)
    }),
    { seed: 20_260_101, numRuns: 300 },
  )
})

test('resolving never throws, whatever the data is', () => {
  const section = fc.constantFrom('listeners', 'upstreams', 'routes', 'pool', 'http', 'x')
  fc.assert(
    fc.property(fc.dictionary(section, fc.jsonValue()), (document) => {
      const resolved = resolveConfig(document)
      assert.ok(resolved.ok || resolved.problems.length > 0)
    }),
    { seed: 20_260_102, numRuns: 300 },
  )
})

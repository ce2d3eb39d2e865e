import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configNamePattern } from '@imapfleet/config/names'
import * as fc from 'fast-check'
import {
  buckets,
  consumers,
  crossings,
  desiredKey,
  evidenceRead,
  rightsOf,
  streams,
  subjects,
} from './subjects.ts'

const name = fc.stringMatching(configNamePattern)
const address = fc.record({ region: name, edge: name })
const settings = { seed: 20_260_109, numRuns: 300 }

/** NATS' own rule: * is one token, > is the rest. */
function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const given = subject.split('.')
  return (
    wanted.every((token, index) => token === '>' || token === '*' || token === given[index]) &&
    (wanted.at(-1) === '>' ? given.length >= wanted.length : wanted.length === given.length)
  )
}

const published = (at: { region: string; edge: string }, trace: string) => [
  subjects.presence(at),
  subjects.report(at),
  subjects.trace(at),
  subjects.order({ kind: 'all' }),
  subjects.order({ kind: 'region', region: at.region }),
  subjects.order({ kind: 'edge', ...at }),
  subjects.storedReports(at),
  subjects.answer(at, trace),
  subjects.inbox(at),
  subjects.evidence(at),
  subjects.storedEvidence(at),
  subjects.desiredChanged,
  desiredKey(at),
]

test('no published subject has a wildcard, a blank or an empty token', () => {
  fc.assert(
    fc.property(address, fc.uuid(), (at, trace) => {
      for (const subject of published(at, trace)) assert.match(subject, /^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*$/)
    }),
    settings,
  )
})

test('what an edge publishes reaches the subscriptions for it and no others', () => {
  fc.assert(
    fc.property(address, fc.uuid(), (at, trace) => {
      const kinds = [
        { subject: subjects.presence(at), heard: [subjects.presenceOfAll] },
        { subject: subjects.report(at), heard: [subjects.reportsOfAll] },
        { subject: subjects.trace(at), heard: [subjects.tracesOfAll] },
        { subject: subjects.evidence(at), heard: [subjects.evidenceOfAll] },
        { subject: subjects.storedEvidence(at), heard: [subjects.storedEvidenceOfAll] },
        { subject: subjects.answer(at, trace), heard: [subjects.answersTo(trace), subjects.answersOfAll] },
      ]
      const listeners = kinds.flatMap(({ heard }) => heard)
      for (const { subject, heard } of kinds)
        assert.deepEqual(
          listeners.filter((pattern) => matches(pattern, subject)),
          heard,
        )
    }),
    settings,
  )
})

test('an order reaches exactly the edges that it is for', () => {
  fc.assert(
    fc.property(address, address, (one, other) => {
      const hears = (at: typeof one, subject: string) => subjects.ordersFor(at).includes(subject)
      const same = one.region === other.region && one.edge === other.edge
      assert.ok(hears(one, subjects.order({ kind: 'all' })))
      assert.equal(
        hears(other, subjects.order({ kind: 'region', region: one.region })),
        one.region === other.region,
      )
      assert.equal(hears(other, subjects.order({ kind: 'edge', ...one })), same)
    }),
    settings,
  )
})

test('two edges never share a key or a subject of their own', () => {
  fc.assert(
    fc.property(address, address, (one, other) => {
      fc.pre(one.region !== other.region || one.edge !== other.edge)
      assert.notEqual(desiredKey(one), desiredKey(other))
      assert.notEqual(subjects.presence(one), subjects.presence(other))
      assert.notEqual(subjects.evidence(one), subjects.evidence(other))
      assert.notEqual(subjects.inbox(one), subjects.inbox(other))
      assert.notEqual(subjects.storedReports(one), subjects.storedReports(other))
    }),
    settings,
  )
})

test('two edges share only the right to receive what is for both, and to read the evidence of all', () => {
  fc.assert(
    fc.property(address, address, (one, other) => {
      fc.pre(one.region !== other.region || one.edge !== other.edge)
      const [mine, theirs] = [rightsOf(one), rightsOf(other)]
      assert.deepEqual(
        mine.publish.filter((subject) => theirs.publish.includes(subject)),
        [evidenceRead],
      )
      const forBoth = [
        subjects.order({ kind: 'all' }),
        ...(one.region === other.region ? [subjects.order({ kind: 'region', region: one.region })] : []),
        subjects.desiredChanged,
        subjects.storedEvidenceOfAll,
      ]
      assert.deepEqual(
        mine.subscribe.filter((subject) => theirs.subscribe.includes(subject)),
        forBoth,
      )
    }),
    settings,
  )
})

test('all rights of an edge cross to the account of control, except its inbox', () => {
  fc.assert(
    fc.property(address, (at) => {
      const crosses = (patterns: readonly string[], subject: string) =>
        patterns.some((pattern) => matches(pattern, subject))
      const { publish, subscribe } = rightsOf(at)
      assert.deepEqual(
        publish.filter((subject) => !crosses(crossings.fromEdges, subject)),
        [],
      )
      assert.deepEqual(
        subscribe.filter((subject) => !crosses(crossings.toEdges, subject)),
        [`${subjects.inbox(at)}.>`],
      )
    }),
    settings,
  )
})

test('an edge has one subject for the lines of all its traces, and may use no other', () => {
  fc.assert(
    fc.property(address, fc.uuid(), (at, trace) => {
      const { publish } = rightsOf(at)
      const before = `imapfleet.trace.${at.region}.${at.edge}.${trace}`
      assert.ok(!publish.some((pattern) => matches(pattern, before)))
      assert.ok(publish.includes(subjects.trace(at)))
      // What accounts of earlier versions let cross.
      assert.ok(matches('imapfleet.trace.*.*.*', subjects.trace(at)))
    }),
    settings,
  )
})

test('names of streams, consumers and buckets are valid in NATS', () => {
  for (const word of [...Object.values(streams), ...Object.values(consumers), ...Object.values(buckets)])
    assert.match(word, /^[A-Za-z0-9_-]+$/)
})

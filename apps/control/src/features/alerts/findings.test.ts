import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { alertRule, alertRuleNames, type AlertRuleName } from '@imapfleet/api'
import { findingsOfRule, isUnknown, type AlertFacts, type EdgeFacts } from './findings.ts'

const now = Date.parse('2026-03-01T03:00:00Z')
const minute = 60_000
const day = 86_400_000

const edge = (said: Partial<EdgeFacts> = {}): EdgeFacts => ({
  id: 'eu-1',
  region: 'eu',
  isHeard: true,
  problems: [],
  gauges: {},
  clockSkewMs: 0,
  runsForeignState: false,
  ...said,
})
const problem = (kind: EdgeFacts['problems'][number]['kind'], severity: 'bad' | 'warning' = 'bad') => ({
  kind,
  severity,
  text: `has a problem of the kind ${kind}`,
})
const reported = (text: string) => ({ ...problem('reported'), text })
const mainDown = { 'upstream_healthy{upstream="main"}': 0, 'upstream_healthy{upstream="old"}': 1 }
const replica = (report: Partial<AlertFacts['replicas'][number]['report']> = {}, ageMs = 5_000) => ({
  name: 'host:8080',
  ageMs,
  report: { nats: 'ok', certificates: [], storedAt: now, ...report },
})
const facts = (said: Partial<AlertFacts> = {}): AlertFacts => ({
  now,
  isDeaf: false,
  edges: [edge()],
  counted: { minutes5: new Map([['eu-1', {}]]), minutes15: new Map([['eu-1', {}]]) },
  replicas: [replica()],
  lateTimers: [],
  tokens: [],
  restoredAt: undefined,
  held: undefined,
  ...said,
})
const withEdge = (said: Partial<EdgeFacts>) => facts({ edges: [edge(said)] })
const withGauges = (gauges: Record<string, number>) => withEdge({ gauges })
const counted = (counters: Record<string, number>) => {
  const counts = new Map([['eu-1', counters]])
  return facts({ counted: { minutes5: counts, minutes15: counts } })
}
const logins = (ok: number, failed: number, refused = 0) =>
  counted({
    'logins_total{upstream="main",result="ok"}': ok,
    'logins_total{upstream="main",result="failed"}': failed,
    'logins_total{upstream="main",result="refused"}': refused,
  })
const reuse = (reuses: number, connections: number) =>
  counted({
    'upstream_reuses_total{upstream="main"}': reuses,
    'upstream_connections_total{upstream="main"}': connections,
  })
const certificate = (daysLeft: number) =>
  withGauges({ 'certificate_expiry_seconds{owner="listeners.imaps"}': (now + daysLeft * day) / 1000 })
const token = (name: string, daysLeft: number) => ({ name, expiresAt: new Date(now + daysLeft * day) })
const outage = (seconds: number, endedMinutesAgo: number) => {
  const to = now - endedMinutesAgo * minute
  return facts({
    replicas: [replica({ postgresOutage: { from: to - seconds * 1000, to, reason: 'refused' } })],
  })
}

/** What is found: the subject of each finding, in order. */
type Case = readonly [what: string, facts: AlertFacts, subjects: readonly string[]]

/** Of every rule. One without a row does not compile. */
const cases: Readonly<Record<AlertRuleName, readonly Case[]>> = {
  'edge-silent': [
    ['a silent edge', withEdge({ isHeard: false, problems: [problem('silent')] }), ['eu-1']],
    [
      'an edge of another wire version',
      withEdge({ isHeard: false, problems: [problem('wire-version')] }),
      ['eu-1'],
    ],
    [
      'a silent edge while control is deaf',
      { ...withEdge({ isHeard: false, problems: [problem('silent')] }), isDeaf: true },
      ['eu-1'],
    ],
    ['another problem', withEdge({ problems: [problem('drift')] }), []],
  ],
  'upstream-down': [
    [
      'one of two upstreams',
      withGauges({ 'upstream_healthy{upstream="main"}': 0, 'upstream_healthy{upstream="old"}': 1 }),
      ['eu-1/main'],
    ],
    [
      'old gauges of a silent edge',
      withEdge({ isHeard: false, gauges: { 'upstream_healthy{upstream="main"}': 0 } }),
      [],
    ],
    [
      'old gauges while control is deaf',
      { ...withGauges({ 'upstream_healthy{upstream="main"}': 0 }), isDeaf: true },
      [],
    ],
  ],
  'logins-fail': [
    ['6 of 100', logins(94, 6), ['eu-1']],
    ['5 of 100', logins(95, 5), []],
    ['wrong passwords', logins(5, 0, 95), []],
    ['no logins', logins(0, 0), []],
    ['failures without a success', logins(0, 3), ['eu-1']],
  ],
  'logins-wait': [
    ['one', withGauges({ leases_waiting: 1 }), ['eu-1']],
    ['none', withGauges({ leases_waiting: 0 }), []],
  ],
  'connections-near-limit': [
    ['91 of 100 clients', withGauges({ clients_connected: 91, clients_limit: 100 }), ['eu-1']],
    ['90 of 100 clients', withGauges({ clients_connected: 90, clients_limit: 100 }), []],
    [
      'one of two upstreams',
      withGauges({
        'upstream_connections_used{upstream="main"}': 95,
        'upstream_connections_limit{upstream="main"}': 100,
        'upstream_connections_used{upstream="old"}': 95,
        'upstream_connections_limit{upstream="old"}': 200,
      }),
      ['eu-1/main'],
    ],
    ['an edge of an earlier version', withGauges({ clients_connected: 100 }), []],
  ],
  'connections-full': [
    [
      'a limit of one user',
      counted({ 'upstream_full_total{upstream="main",reason="user-limit"}': 1 }),
      ['eu-1/main/user-limit'],
    ],
    [
      'a limit of the machine',
      counted({ 'upstream_full_total{upstream="main",reason="out-of-files"}': 1 }),
      [],
    ],
    ['no growth', counted({ 'upstream_full_total{upstream="main",reason="user-limit"}': 0 }), []],
    [
      'a server that is down, and another one',
      {
        ...counted({
          'upstream_full_total{upstream="main",reason="no-greeting"}': 1,
          'upstream_full_total{upstream="old",reason="no-greeting"}': 1,
        }),
        edges: [edge({ gauges: mainDown })],
      },
      ['eu-1/old/no-greeting'],
    ],
  ],
  'clients-refused': [
    ['the limit on clients', counted({ 'client_refusals_total{reason="too-many-clients"}': 1 }), ['eu-1']],
    ['another limit', counted({ 'client_refusals_total{reason="login-timeout"}': 9 }), []],
  ],
  'out-of-resources': [
    [
      'files for clients and for servers',
      counted({
        'client_refusals_total{reason="out-of-files"}': 1,
        'upstream_full_total{upstream="main",reason="out-of-files"}': 1,
        'upstream_full_total{upstream="main",reason="out-of-ports"}': 1,
      }),
      ['eu-1/out-of-files', 'eu-1/out-of-ports'],
    ],
    [
      'a limit of the server',
      counted({ 'upstream_full_total{upstream="main",reason="server-limit"}': 1 }),
      [],
    ],
  ],
  'reuse-fallen': [
    ['4 of 10 logins', reuse(1_600, 2_400), ['eu']],
    ['half of the logins', reuse(2_000, 2_000), []],
    ['too few logins to say', reuse(300, 900), []],
  ],
  drift: [
    ['an older revision', withEdge({ problems: [problem('drift', 'warning')] }), ['eu-1']],
    ['a refused revision', withEdge({ problems: [problem('rejected')] }), ['eu-1']],
    ['another problem', withEdge({ problems: [problem('clock')] }), []],
  ],
  'foreign-state': [
    ['a state of another database', withEdge({ runsForeignState: true }), ['eu-1']],
    ['a state of this one', facts(), []],
  ],
  'state-held': [
    ['held', facts({ held: 'this database has no revision' }), ['fleet']],
    ['published', facts(), []],
  ],
  'database-restored': [
    ['an hour ago', facts({ restoredAt: now - 60 * minute }), ['fleet']],
    ['a day ago', facts({ restoredAt: now - day }), []],
  ],
  'outbox-grows': [
    ['31 reports', withGauges({ outbox_reports: 31 }), ['eu-1']],
    ['30 reports', withGauges({ outbox_reports: 30 }), []],
  ],
  'reports-lost': [
    ['one', counted({ reports_dropped_total: 1 }), ['eu-1']],
    ['none', counted({ reports_dropped_total: 0 }), []],
  ],
  'state-unsaved': [
    ['a full disk', withEdge({ problems: [problem('unsaved')] }), ['eu-1']],
    ['another problem', withEdge({ problems: [problem('reported')] }), []],
  ],
  'clock-skew': [
    ['11 s ahead', withEdge({ clockSkewMs: 11_000 }), ['eu-1']],
    ['11 s behind', withEdge({ clockSkewMs: -11_000 }), ['eu-1']],
    ['10 s', withEdge({ clockSkewMs: 10_000 }), []],
    ['unknown', withEdge({ clockSkewMs: null }), []],
  ],
  'two-instances': [
    ['two', withEdge({ problems: [problem('instances')] }), ['eu-1']],
    ['one', facts(), []],
  ],
  'edge-problems': [
    ['something that the edge reports', withEdge({ problems: [problem('reported')] }), ['eu-1']],
    [
      'a server that is down',
      withEdge({ gauges: mainDown, problems: [reported('upstream main: no greeting')] }),
      [],
    ],
    [
      'one address of a server that is up',
      withEdge({ gauges: mainDown, problems: [reported('upstream old: 10.0.0.7 is down')] }),
      ['eu-1'],
    ],
    [
      'a revoked credential',
      withEdge({ isHeard: false, problems: [problem('credential'), problem('silent')] }),
      ['eu-1'],
    ],
    [
      'what another rule is about',
      withEdge({ problems: [problem('drift'), problem('unsaved'), problem('clock')] }),
      [],
    ],
  ],
  'edge-refused': [
    ['too many messages', withEdge({ problems: [problem('refused')] }), ['eu-1']],
    ['an older version', withEdge({ problems: [problem('refused', 'warning')] }), []],
  ],
  'messages-rejected': [
    ['14 minutes ago', facts({ replicas: [replica({ rejectedAt: now - 14 * minute })] }), ['fleet']],
    ['15 minutes ago', facts({ replicas: [replica({ rejectedAt: now - 15 * minute })] }), []],
  ],
  'certificate-expires': [
    ['in a day', certificate(1), ['eu-1/listeners.imaps']],
    ['yesterday', certificate(-1), ['eu-1/listeners.imaps']],
    ['in two days', certificate(2), []],
  ],
  'control-certificate-expires': [
    [
      'in six days',
      facts({ replicas: [replica({ certificates: [{ owner: 'nats', expiresAt: now + 6 * day }] })] }),
      ['host:8080/nats'],
    ],
    [
      'in seven days',
      facts({ replicas: [replica({ certificates: [{ owner: 'nats', expiresAt: now + 7 * day }] })] }),
      [],
    ],
  ],
  'credential-expires': [
    ['of an edge', withGauges({ credential_expiry_seconds: (now + 6 * day) / 1000 }), ['eu-1']],
    ['of control', facts({ replicas: [replica({ credentialExpiresAt: now + 6 * day })] }), ['host:8080']],
    ['later', withGauges({ credential_expiry_seconds: (now + 7 * day) / 1000 }), []],
  ],
  'token-expires': [
    ['in six days', facts({ tokens: [token('prometheus', 6)] }), ['prometheus']],
    ['in seven days', facts({ tokens: [token('prometheus', 7)] }), []],
    [
      'replaced by one of the same name',
      facts({ tokens: [token('prometheus', 1), token('prometheus', 90)] }),
      [],
    ],
  ],
  'control-down': [
    ['46 s without a report', facts({ replicas: [replica({}, 46_000)] }), ['host:8080']],
    ['45 s without a report', facts({ replicas: [replica({}, 45_000)] }), []],
  ],
  'postgres-down': [
    ['an outage of a minute', outage(60, 1), ['host:8080']],
    ['an outage of 59 s', outage(59, 1), []],
    ['an outage that ended six minutes ago', outage(600, 6), []],
  ],
  'nats-down': [
    ['no answer', facts({ replicas: [replica({ nats: 'no answer within 3 s' })] }), ['host:8080']],
    [
      'an old report of a process that is down',
      facts({ replicas: [replica({ nats: 'no answer' }, 60_000)] }),
      [],
    ],
    ['an answer', facts(), []],
  ],
  'timer-overdue': [
    [
      'one',
      facts({ lateTimers: [{ name: 'rollups', trouble: 'no replica has finished it for 99 s' }] }),
      ['rollups'],
    ],
    ['none', facts(), []],
  ],
  'ingest-lags': [
    ['every process', facts({ replicas: [replica({ lagMs: 61_000, waiting: 9 })] }), ['fleet']],
    [
      'one of two processes',
      facts({ replicas: [replica({ lagMs: 61_000, waiting: 9 }), replica({ lagMs: 10, waiting: 9 })] }),
      [],
    ],
    ['an old figure, and nothing waits', facts({ replicas: [replica({ lagMs: 61_000, waiting: 0 })] }), []],
    ['no process that ingests', facts({ replicas: [replica()] }), []],
  ],
  'ingest-stands': [
    ['no report for six minutes', facts({ replicas: [replica({ storedAt: now - 6 * minute })] }), ['fleet']],
    ['a report four minutes ago', facts({ replicas: [replica({ storedAt: now - 4 * minute })] }), []],
    ['no edge is heard', { ...withEdge({ isHeard: false }), replicas: [] }, []],
    ['control is deaf', facts({ replicas: [], isDeaf: true }), []],
  ],
}

suite('rules of alerts', () => {
  for (const rule of alertRuleNames)
    test(`${rule} finds what it is about, and nothing else`, () => {
      for (const [what, given, subjects] of cases[rule]) {
        const found = findingsOfRule(rule, given, alertRule(rule).threshold?.default ?? 0)
        assert.deepEqual(
          found.map(({ subject }) => subject),
          subjects,
          what,
        )
        for (const { text } of found) assert.match(text, /^\S.{10,}[^.]$/, what)
      }
    })

  test('each rule with a threshold uses it', () => {
    const found = (rule: AlertRuleName, given: AlertFacts, threshold: number) =>
      findingsOfRule(rule, given, threshold).length
    for (const [rule, given, opens, stays] of [
      ['logins-fail', logins(90, 10), 9, 11],
      ['logins-wait', withGauges({ leases_waiting: 5 }), 4, 5],
      ['connections-near-limit', withGauges({ clients_connected: 60, clients_limit: 100 }), 50, 70],
      ['reuse-fallen', reuse(6_000, 4_000), 70, 50],
      ['outbox-grows', withGauges({ outbox_reports: 100 }), 99, 100],
      ['clock-skew', withEdge({ clockSkewMs: 60_000 }), 59, 60],
      ['certificate-expires', certificate(20), 30, 10],
      [
        'control-certificate-expires',
        facts({ replicas: [replica({ certificates: [{ owner: 'nats', expiresAt: now + 20 * day }] })] }),
        30,
        10,
      ],
      ['credential-expires', withGauges({ credential_expiry_seconds: (now + 20 * day) / 1000 }), 30, 10],
      ['token-expires', facts({ tokens: [token('ci', 20)] }), 30, 10],
      ['ingest-lags', facts({ replicas: [replica({ lagMs: 100_000, waiting: 1 })] }), 90, 110],
    ] as const) {
      assert.equal(found(rule, given, opens), 1, `${rule} at ${opens}`)
      assert.equal(found(rule, given, stays), 0, `${rule} at ${stays}`)
    }
  })

  test('an alert about a mail server that is down has the reason that the edge reports', () => {
    const problems = [
      reported('upstream old: 10.0.0.8 is down'),
      reported('upstream main: no greeting: a: b'),
      reported('restart it for http.port'),
    ]
    const [found] = findingsOfRule('upstream-down', withEdge({ gauges: mainDown, problems }), 0)
    assert.equal(found?.text, 'eu-1 cannot reach the mail server main: no greeting: a: b')
    const [older] = findingsOfRule('upstream-down', withEdge({ gauges: mainDown }), 0)
    assert.equal(older?.text, 'eu-1 cannot reach the mail server main')
  })

  test('what edges report is one line of limited length', () => {
    const hostile = { ...problem('reported'), text: `a\nb\u0007${'x'.repeat(2_000)}` }
    const [found] = findingsOfRule('edge-problems', withEdge({ problems: [hostile] }), 0)
    assert.ok(found && found.text.length <= 500 && found.text.startsWith('eu-1: a?b?x'))
  })

  test('nothing is known of a silent edge, of any edge while control is deaf, and of counters without reports', () => {
    const silent = withEdge({ isHeard: false })
    const noReports = facts({ counted: { minutes5: new Map(), minutes15: new Map() } })
    const deaf = facts({ isDeaf: true })
    const about = (rule: AlertRuleName, of: { edge?: string | null; region?: string | null } = {}) => ({
      rule,
      edge: of.edge === undefined ? 'eu-1' : of.edge,
      region: of.region === undefined ? 'eu' : of.region,
    })
    for (const [what, alert, given, expected] of [
      ['a silent edge', about('upstream-down'), silent, true],
      ['an edge that is heard', about('upstream-down'), facts(), false],
      ['a deaf control', about('upstream-down'), deaf, true],
      ['an edge that left the fleet', about('upstream-down', { edge: 'gone' }), facts(), false],
      ['its silence', about('edge-silent'), silent, false],
      ['its silence while control is deaf', about('edge-silent'), deaf, false],
      ['counters without reports', about('logins-fail'), noReports, true],
      ['counters with reports', about('logins-fail'), facts(), false],
      ['a region without reports', about('reuse-fallen', { edge: null }), noReports, true],
      ['a region with reports', about('reuse-fallen', { edge: null }), facts(), false],
      [
        'a region that left the fleet',
        about('reuse-fallen', { edge: null, region: 'asia' }),
        noReports,
        false,
      ],
      ['control', about('nats-down', { edge: null, region: null }), deaf, false],
    ] as const)
      assert.equal(isUnknown(alert, given), expected, what)
  })
})

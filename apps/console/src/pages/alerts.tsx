/** Alerts: open ones with their acknowledgements, resolved ones, silences, rules, and channels. */
import type { AlertView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { alertDuration, alertStateWords, alertText, alertTone, isMuted } from '../fleet/alert-words.ts'
import { Page } from '../layout/page.tsx'
import { choose, search } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Choice } from '../ui/choice.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { AlertChannels } from './alert-channels.tsx'
import { AlertDetails } from './alert-details.tsx'
import { MuteDialog, type Muting } from './alert-mute.tsx'
import { AlertRules } from './alert-rules.tsx'
import { AlertSilences } from './alert-silences.tsx'
import { WithRight } from '../ui/with-right.tsx'
import './alerts.css'

const states = ['open', 'pending', 'resolved', 'all'] as const
const everyMs = 10_000

export function Alerts() {
  const state = states.find((each) => each === search.value.get('state')) ?? 'open'
  const chosen = Number(search.value.get('alert'))
  // The page of an edge links here with its name.
  const edge = search.value.get('edge') ?? ''
  const [muting, setMuting] = useState<Muting>()
  const [problems, setProblems] = useState<readonly string[]>([])
  const pages = usePages(
    `${state} ${edge}`,
    async (page, signal) => {
      const list = await call('listAlerts', { query: { ...page, state, edge: edge || undefined }, signal })
      setProblems(list.problems)
      return { rows: list.alerts, next: list.next }
    },
    { everyMs },
  )
  return (
    <Page
      title="Alerts"
      about={`Conditions ${edge && `at ${edge} `}that have lasted longer than the hold time of their rule.`}
      actions={
        <>
          {edge !== '' && (
            <button type="button" class="button" onClick={() => choose({ edge: '' })}>
              Alerts of all edges
            </button>
          )}
          <Choice
            label="State"
            values={states}
            chosen={state}
            onChoice={(value) => choose({ state: value === 'open' ? '' : value })}
          />
          <WithRight to="silenceAlerts">
            <button type="button" class="button" onClick={() => setMuting({ kind: 'silence', preset: {} })}>
              New silence
            </button>
          </WithRight>
        </>
      }
    >
      {problems.map((problem) => (
        <Note key={problem} tone="bad">
          {problem}
        </Note>
      ))}
      {Number.isInteger(chosen) && chosen > 0 && <AlertDetails key={chosen} id={chosen} onMute={setMuting} />}
      <section class="card" aria-label="List of alerts">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(alerts) =>
            alerts.length === 0 ? (
              <Empty title={`${state === 'open' ? 'No alert is open' : 'No alerts'}${edge && ` at ${edge}`}`}>
                {state === 'open' ? 'Rules and channels are below.' : undefined}
              </Empty>
            ) : (
              <>
                <Table
                  caption="Alerts"
                  columns={columns(setMuting)}
                  rows={unmutedFirst(alerts)}
                  keyOf={({ id }) => id}
                />
                <Older onClick={pages.older} />
              </>
            )
          }
        </Answered>
      </section>
      <WithRight to="listAlertSilences">
        <AlertSilences />
      </WithRight>
      <WithRight to="listAlertChannels">
        <AlertChannels />
      </WithRight>
      <AlertRules />
      {muting && <MuteDialog muting={muting} onDone={pages.reload} onClose={() => setMuting(undefined)} />}
    </Page>
  )
}

/** The address of its details. The selection of the list stays. */
function detailsOf({ id }: AlertView): string {
  const chosen = new URLSearchParams(search.value)
  chosen.set('alert', String(id))
  return `/alerts?${chosen}`
}

/** Alerts that are neither acknowledged nor silenced, then the others. Pages before tickets. */
const unmutedFirst = (alerts: readonly AlertView[]): AlertView[] =>
  alerts.toSorted(
    (a, b) =>
      Number(isMuted(a)) - Number(isMuted(b)) ||
      Number(a.severity === 'ticket') - Number(b.severity === 'ticket') ||
      b.id - a.id,
  )

const columns = (mute: (muting: Muting) => void): TableColumn<AlertView>[] => [
  {
    title: 'State',
    kind: 'fixed',
    cell: (alert) => (
      <Badge tone={alert.state === 'open' && !isMuted(alert) ? alertTone(alert) : 'still'}>
        {alertStateWords(alert)}
      </Badge>
    ),
  },
  { title: 'Severity', kind: 'fixed', cell: ({ severity }) => severity },
  {
    title: 'Alert',
    kind: 'wide',
    cell: (alert) => (
      <div>
        <PageLink href={detailsOf(alert)}>{alert.title}</PageLink>
        <div class="alert-text">{alertText(alert, new Date())}</div>
      </div>
    ),
  },
  { title: 'Region', kind: 'fixed', cell: ({ region }) => region ?? '–' },
  { title: 'Since', kind: 'fixed', cell: ({ since }) => <Moment at={since} /> },
  { title: 'For', kind: 'fixed', cell: (alert) => alertDuration(alert, new Date()) },
  {
    title: 'Actions',
    kind: 'actions',
    needs: 'acknowledgeAlert',
    cell: (alert) =>
      alert.state === 'open' && (
        <button
          type="button"
          class="button small"
          aria-label={`Acknowledge alert ${alert.id}`}
          onClick={() => mute({ kind: 'acknowledge', alert })}
        >
          Acknowledge
        </button>
      ),
  },
]

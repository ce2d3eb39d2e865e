/** The audit log, filtered by actor, action, target and time, and exported. */
import { auditCsv, type AuditEntry } from '@imapfleet/api'
import { useId, useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import {
  auditFilterIn,
  auditQuery,
  auditRanges,
  exportedEntries,
  isFiltered,
  type AuditFilter,
} from '../fleet/audit-filter.ts'
import { auditFacts } from '../fleet/audit-facts.ts'
import { countOf } from '../format/number.ts'
import { Page } from '../layout/page.tsx'
import { choose, search } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { saveFile } from '../ui/save-file.ts'
import { Select } from '../ui/select.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { TimeField } from '../ui/time-field.tsx'
import { tell } from '../ui/toast.tsx'
import './audit.css'

export function Audit() {
  const filter = auditFilterIn(search.value)
  const pages = usePages(JSON.stringify(filter), async (page, signal) => {
    const query = { ...page, ...auditQuery(filter, Date.now()) }
    const { entries, next } = await call('listAudit', { query, signal })
    return { rows: entries, next }
  })
  const isSome = isFiltered(filter)
  return (
    <Page
      title="Audit"
      about="Every change, order, trace and sign-in, newest first."
      actions={
        <>
          <Export filter={filter} />
          <button type="button" class="button" onClick={pages.reload}>
            Refresh
          </button>
        </>
      }
    >
      <Filters filter={filter} known={pages.rows ?? []} />
      <section class="card">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(entries) =>
            entries.length === 0 ? (
              <Empty title={isSome ? 'No entries match' : 'No entries yet'}>
                {isSome ? 'Who and What match complete names, On matches a part of one.' : undefined}
              </Empty>
            ) : (
              <>
                <Table caption="Audit log" columns={columns} rows={entries} keyOf={({ id }) => id} />
                <Older onClick={pages.older} />
              </>
            )
          }
        </Answered>
      </section>
    </Page>
  )
}

const empty: AuditFilter = { actor: '', action: '', target: '', from: '', to: '' }

function Filters({ filter, known }: { filter: AuditFilter; known: readonly AuditEntry[] }) {
  const [typed, setTyped] = useState(filter)
  // Another address replaces what was typed. The fields stay, and keep the focus.
  const now = JSON.stringify(filter)
  const [seen, setSeen] = useState(now)
  if (now !== seen) {
    setSeen(now)
    setTyped(filter)
  }
  const id = useId()
  const { from, to } = filter
  const field = (key: 'actor' | 'action' | 'target') => ({
    value: typed[key],
    onValue: (value: string) => setTyped({ ...typed, [key]: value }),
    autocomplete: 'off' as const,
  })
  const take = (change: Partial<AuditFilter>) => choose({ ...typed, ...change })
  const isRange = Object.hasOwn(auditRanges, from) && to === ''
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        take({ actor: typed.actor.trim(), action: typed.action.trim(), target: typed.target.trim() })
      }}
    >
      <Field label="Who" placeholder="ann" list={`${id}-actors`} isSearch {...field('actor')} />
      <Field label="What" placeholder="order.give" list={`${id}-actions`} {...field('action')} />
      <Field label="On" placeholder="edge/eu-1" {...field('target')} />
      <Select
        label="Time"
        chosen={isRange ? from : 'other'}
        options={[...Object.entries(auditRanges), ['other', 'from and to']]}
        onChoice={(range) =>
          take(
            range === 'other'
              ? { from: new Date(Date.now() - 3_600_000).toISOString(), to: '' }
              : { from: range, to: '' },
          )
        }
      />
      {!isRange && (
        <>
          <TimeField label="From" at={instantIn(from)} onTime={(at) => take({ from: isoOf(at) })} />
          <TimeField label="To" at={instantIn(to)} onTime={(at) => take({ to: isoOf(at) })} />
        </>
      )}
      <button type="submit" class="button">
        Filter
      </button>
      {isFiltered(filter) && (
        <button type="button" class="button quiet" onClick={() => choose({ ...empty })}>
          Clear
        </button>
      )}
      <Suggestions id={`${id}-actors`} words={known.map(({ actor }) => actor)} />
      <Suggestions id={`${id}-actions`} words={known.map(({ action }) => action)} />
    </form>
  )
}

const instantIn = (text: string) => (text === '' || text.startsWith('-') ? undefined : Date.parse(text))
const isoOf = (at: number | undefined) => (at === undefined ? '' : new Date(at).toISOString())

/** Names that occur in the entries on the page. */
const Suggestions = ({ id, words }: { id: string; words: readonly string[] }) => (
  <datalist id={id}>
    {[...new Set(words)].sort().map((word) => (
      <option key={word} value={word} />
    ))}
  </datalist>
)

const forms = {
  CSV: { extension: 'csv', type: 'text/csv', text: auditCsv },
  JSON: {
    extension: 'json',
    type: 'application/json',
    text: (entries: readonly AuditEntry[]) => `${JSON.stringify(entries, undefined, 2)}\n`,
  },
} as const

/** Saves all entries that match the filter, not only the page. */
function Export({ filter }: { filter: AuditFilter }) {
  const [isBusy, setBusy] = useState(false)
  const save = async (form: keyof typeof forms) => {
    setBusy(true)
    try {
      const { entries, isWhole } = await exportedEntries(call, filter, Date.now())
      const { extension, type, text } = forms[form]
      saveFile(
        `audit-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.${extension}`,
        type,
        text(entries),
      )
      tell(
        isWhole ? 'good' : 'bad',
        isWhole
          ? `${countOf(entries.length)} entries are exported.`
          : `The newest ${countOf(entries.length)} entries are exported, older ones are not. Choose a shorter time.`,
      )
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
    setBusy(false)
  }
  return (
    <>
      {(['CSV', 'JSON'] as const).map((form) => (
        <button key={form} type="button" class="button" disabled={isBusy} onClick={() => void save(form)}>
          Export {form}
        </button>
      ))}
    </>
  )
}

const columns: TableColumn<AuditEntry>[] = [
  { title: 'When', kind: 'fixed', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'Who',
    kind: 'fixed',
    cell: ({ actor }) => (
      <PageLink href={`/audit?actor=${encodeURIComponent(actor)}`} title={`Entries of ${actor}`}>
        {actor}
      </PageLink>
    ),
  },
  {
    title: 'What',
    kind: 'fixed',
    cell: ({ action }) => <code>{action}</code>,
  },
  { title: 'On', cell: ({ target }) => target },
  { title: 'Details', kind: 'wide', cell: (entry) => <Details entry={entry} /> },
]

const Details = ({ entry: { action, before, after } }: { entry: AuditEntry }) => {
  const order = action === 'order.give' ? valueOf(after, 'id') : undefined
  if (order !== undefined)
    return (
      <PageLink href={`/orders/${order}`}>
        {valueOf(after, 'kind')} {valueOf(after, 'user') ?? valueOf(after, 'upstream')}
      </PageLink>
    )
  const facts = auditFacts(before, after)
  if (facts.length === 0) return null
  const text = facts.join(' · ')
  if (text.length < 90) return <span class="soft">{text}</span>
  return (
    <details class="audit-details">
      <summary>{text.slice(0, 80)}…</summary>
      <pre class="text-block">{JSON.stringify({ before, after }, undefined, 2)}</pre>
    </details>
  )
}

/** A text field of an entry. */
function valueOf(value: AuditEntry['after'], key: string): string | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const found = value[key]
  return typeof found === 'string' ? found : undefined
}

/** The audit log. */
import type { AuditEntry } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { Page } from '../layout/page.tsx'
import { choose, search } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import './audit.css'

export function Audit() {
  const actor = search.value.get('actor') ?? ''
  const action = search.value.get('action') ?? ''
  const pages = usePages(JSON.stringify([actor, action]), async (page, signal) => {
    const { entries, next } = await call('listAudit', {
      query: { ...page, actor: actor || undefined, action: action || undefined },
      signal,
    })
    return { rows: entries, next }
  })
  const isFiltered = actor !== '' || action !== ''
  return (
    <Page
      title="Audit"
      about="Every change, order, trace and sign-in, newest first."
      actions={
        <button type="button" class="button" onClick={pages.reload}>
          Refresh
        </button>
      }
    >
      <Filters key={`${actor} ${action}`} actor={actor} action={action} />
      <section class="card">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(entries) =>
            entries.length === 0 ? (
              <Empty title={isFiltered ? 'No entries match' : 'No entries yet'}>
                {isFiltered
                  ? 'Only complete names match. Clear the fields above to see all entries.'
                  : undefined}
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

function Filters({ actor, action }: { actor: string; action: string }) {
  const [typed, setTyped] = useState({ actor, action })
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        choose({ actor: typed.actor.trim(), action: typed.action.trim() })
      }}
    >
      <Field label="Who" value={typed.actor} onValue={(value) => setTyped({ ...typed, actor: value })} />
      <Field
        label="What"
        value={typed.action}
        placeholder="order.give"
        onValue={(value) => setTyped({ ...typed, action: value })}
      />
      <button type="submit" class="button">
        Filter
      </button>
      {(actor !== '' || action !== '') && (
        <button type="button" class="button quiet" onClick={() => choose({ actor: '', action: '' })}>
          Clear
        </button>
      )}
    </form>
  )
}

const columns: TableColumn<AuditEntry>[] = [
  { title: 'When', kind: 'fixed', cell: ({ at }) => <Moment at={at} /> },
  { title: 'Who', kind: 'fixed', cell: ({ actor }) => actor },
  { title: 'What', kind: 'fixed', cell: ({ action }) => <code>{action}</code> },
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
  const facts = [...factsOf('before', before), ...factsOf('', after)]
  if (facts.length === 0) return null
  const text = facts.join(' · ')
  if (text.length < 90) return <span class="soft">{text}</span>
  return (
    <details class="audit-details">
      <summary>{text.slice(0, 80)}…</summary>
      <pre>{JSON.stringify({ before, after }, undefined, 2)}</pre>
    </details>
  )
}

/** A text field of an entry. */
function valueOf(value: AuditEntry['after'], key: string): string | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const found = value[key]
  return typeof found === 'string' ? found : undefined
}

function factsOf(word: string, value: AuditEntry['after']): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return []
  return Object.entries(value)
    .filter(([, each]) => each !== null && each !== '')
    .map(([key, each]) => `${word} ${key} ${typeof each === 'string' ? each : JSON.stringify(each)}`.trim())
}

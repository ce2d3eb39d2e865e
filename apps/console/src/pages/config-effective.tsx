/** Every key with the value that edges of the layer have, and where it comes from. */
import type { ConfigKey } from '@imapfleet/api'
import { textOf } from '../fleet/draft.ts'
import { effectiveKeys, matchingKeys, type EffectiveKey } from '../fleet/effective-keys.ts'
import { countOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { choose, search } from '../router/location.ts'
import { SearchField } from '../ui/search-field.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

interface EffectiveProps {
  layers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  chain: readonly string[]
  manual: readonly ConfigKey[]
}

export function ConfigEffective({ layers, chain, manual }: EffectiveProps) {
  const text = search.value.get('key') ?? ''
  const all = effectiveKeys(layers, chain, manual)
  const shown = matchingKeys(all, text)
  return (
    <>
      <div class="card-body filters">
        <SearchField
          label="Search"
          value={text}
          placeholder="Key, value or description …"
          onValue={(key) => choose({ key })}
        />
        <p class="soft small shown" role="status">
          {countOf(shown.length)} of {countOf(all.length)} keys
        </p>
      </div>
      {shown.length === 0 ? (
        <Empty title="No key matches" />
      ) : (
        <Table
          caption={`Effective keys of ${chain.at(-1)}`}
          columns={columns}
          rows={shown}
          keyOf={({ key }) => key}
        />
      )}
    </>
  )
}

const columns: TableColumn<EffectiveKey>[] = [
  { title: 'Key', kind: 'head', cell: ({ key }) => <code>{key}</code> },
  {
    title: 'Value',
    cell: ({ set, known }) =>
      set ? (
        <code>{textOf(set.value)}</code>
      ) : (
        <span class="soft">{known?.preset === undefined ? '–' : <code>{known.preset}</code>}</span>
      ),
  },
  {
    title: 'From',
    kind: 'fixed',
    cell: ({ set }) =>
      set ? (
        <PageLink href={`/config?layer=${encodeURIComponent(set.from)}`}>{set.from}</PageLink>
      ) : (
        <span class="soft">default, or the edge’s file</span>
      ),
  },
  { title: 'Meaning', kind: 'wide', cell: ({ known }) => <span class="soft">{known?.help ?? ''}</span> },
]

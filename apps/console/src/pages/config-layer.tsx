/** The keys of a layer, and the keys of lower layers. */
import { layerText, type ConfigKey, type LayerName, type RevisionView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { mayCall } from '../api/rights.ts'
import { textOf } from '../fleet/draft.ts'
import { draftOf, keepDraft } from '../fleet/drafts.ts'
import { keysOf, type LayerKey } from '../fleet/layer-keys.ts'
import { chainOf } from '../fleet/layer.ts'
import { PageLink } from '../router/link.tsx'
import { choose, search } from '../router/location.ts'
import { Card } from '../ui/card.tsx'
import { Choice } from '../ui/choice.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { WithRight } from '../ui/with-right.tsx'
import { ConfigEffective } from './config-effective.tsx'
import { ConfigYaml } from './config-yaml.tsx'
import { Difference } from './difference.tsx'
import { ImportConf } from './import-conf.tsx'

interface LayerProps {
  layer: LayerName
  /** The region of an edge. */
  region: string | undefined
  revision: number
  layers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** The revision that is being rolled out, of any layer. */
  coming: RevisionView | undefined
  /** Why the layer cannot be changed now. */
  locked: string | undefined
  manual: readonly ConfigKey[]
}

/** YAML is for writing. */
const views = ['keys', 'effective', 'YAML'] as const

/** Control shows no secrets. */
const stood = '(redacted)'

export function ConfigLayer(props: LayerProps) {
  const { layer, region, revision, layers, coming: rolling, locked, manual } = props
  const [isImporting, setImporting] = useState(false)
  const own = layerText(layer)
  const chain = chainOf(layer, region)
  const keys = keysOf(layers, chain)
  const mayWrite = mayCall('writeRevision')
  const asked = views.find((each) => each === search.value.get('view')) ?? 'keys'
  const view = asked === 'YAML' && !mayWrite ? 'keys' : asked
  // Also of a layer below: its keys are inherited.
  const coming = rolling && chain.includes(layerText(rolling.layer)) ? rolling : undefined
  const begin = (key: string, text: string | undefined) => {
    const { base, changes } = draftOf(layer) ?? { base: revision, changes: [] }
    keepDraft(layer, { base, changes: [...changes.filter((change) => change.key !== key), { key, text }] })
  }
  const beginWith = ({ key, value }: LayerKey) => begin(key, value === stood ? '' : textOf(value))
  const lock = { disabled: locked !== undefined, title: locked }
  const actions: TableColumn<LayerKey> = {
    title: 'Actions',
    kind: 'actions',
    needs: 'writeRevision',
    cell: (row) =>
      row.from === own ? (
        <span class="row">
          <button type="button" class="button small" {...lock} onClick={() => beginWith(row)}>
            Change
          </button>
          <button type="button" class="button small" {...lock} onClick={() => begin(row.key, undefined)}>
            Remove
          </button>
        </span>
      ) : (
        <button type="button" class="button small" {...lock} onClick={() => beginWith(row)}>
          Set here
        </button>
      ),
  }
  return (
    <Card
      title={own}
      about={aboutOf(own, revision, coming)}
      actions={
        <>
          <Choice
            label="View"
            values={mayWrite ? views : (['keys', 'effective'] as const)}
            chosen={view}
            onChoice={(next) => choose({ view: next === 'keys' ? '' : next })}
          />
          <WithRight to="writeRevision">
            <button type="button" class="button" {...lock} onClick={() => setImporting(true)}>
              Import …
            </button>
            <button type="button" class="button primary" {...lock} onClick={() => begin('', '')}>
              Set a key
            </button>
          </WithRight>
        </>
      }
    >
      {isImporting && (
        <ImportConf
          onTaken={(set) => {
            const taken = Object.entries(set).map(([key, value]) => ({ key, text: textOf(value) }))
            const { base, changes } = draftOf(layer) ?? { base: revision, changes: [] }
            keepDraft(layer, {
              base,
              changes: [...changes.filter(({ key }) => !Object.hasOwn(set, key)), ...taken],
            })
          }}
          onClose={() => setImporting(false)}
        />
      )}
      {coming && (
        <div class="card-body coming">
          <p>
            <PageLink href={`/config/${coming.revision}`}>Revision {coming.revision}</PageLink> changes{' '}
            {layerText(coming.layer) === own ? '' : `${layerText(coming.layer)} `}on the edges that its
            rollout has reached:
          </p>
          <Difference changes={coming.changes} />
        </div>
      )}
      {view === 'effective' ? (
        <ConfigEffective layers={layers} chain={chain} manual={manual} />
      ) : view === 'YAML' ? (
        <ConfigYaml
          key={own}
          layer={layer}
          values={layers[own] ?? {}}
          revision={revision}
          isLocked={locked !== undefined}
          manual={manual}
        />
      ) : keys.length === 0 ? (
        <Empty title={coming ? 'Before the rollout, nothing is set here' : 'Nothing is set here'}>
          Edges use their own files.{' '}
          {mayWrite ? 'Set a key to override them, here or with ' : 'An operator overrides them with '}
          <code>
            imapfleet config set KEY VALUE{layer.kind === 'global' ? '' : ` --${layer.kind} ${layer.name}`}
          </code>
          .
        </Empty>
      ) : (
        <Table
          caption={`Keys of ${own}`}
          rows={keys}
          keyOf={({ key }) => key}
          columns={[...columnsOf(own), actions]}
        />
      )}
    </Card>
  )
}

const columnsOf = (own: string): TableColumn<LayerKey>[] => [
  { title: 'Key', kind: 'head', cell: ({ key }) => <code>{key}</code> },
  { title: 'Value', kind: 'wide', cell: (row) => <Value row={row} own={own} /> },
]

function aboutOf(own: string, revision: number, coming: RevisionView | undefined): string {
  if (!coming) return `Keys of this layer as of revision ${revision}.`
  const other = layerText(coming.layer)
  return other === own
    ? `Keys of this layer on the edges that the rollout of revision ${coming.revision} has not reached.`
    : `Keys of this layer as of revision ${revision}; those from ${other} as before the rollout of revision ${coming.revision}.`
}

const Value = ({ row: { value, from, instead }, own }: { row: LayerKey; own: string }) => (
  <span>
    <code class={from === own ? undefined : 'soft'}>{textOf(value)}</code>
    {from !== own && <span class="soft small"> from {from}</span>}
    {from === own && instead && (
      <span class="soft small">
        {' '}
        instead of <code>{textOf(instead.value)}</code> from {instead.from}
      </span>
    )}
  </span>
)

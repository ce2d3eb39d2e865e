/** The configuration of the fleet: a layer, the draft of its changes, and the revisions. */
import { layerText, type EdgeView, type LayerName, type RolloutSummary } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { session } from '../api/session.ts'
import { useAnswer } from '../api/use-answer.ts'
import { readWholeFleet } from '../fleet/all-edges.ts'
import { readConfigState } from '../fleet/config-state.ts'
import { draftOf } from '../fleet/drafts.ts'
import { chainOf, layerIn } from '../fleet/layer.ts'
import { aroundLock, lockOf } from '../fleet/rollout-lock.ts'
import { unknownLayer } from '../fleet/unknown-layer.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { choose, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Note } from '../ui/note.tsx'
import { Select } from '../ui/select.tsx'
import { ConfigDraft } from './config-draft.tsx'
import { ConfigLayer } from './config-layer.tsx'
import { Revisions } from './revisions.tsx'
import './config.css'

const refreshMs = 5_000

export function Config() {
  const mine = session.value.state === 'in' ? session.value.who.limits.regions : undefined
  const layer = layerIn(search.value.get('layer') ?? (mine?.[0] === undefined ? null : `region/${mine[0]}`))
  const config = useAnswer('config', (signal) => readConfigState(call, signal), { everyMs: refreshMs })
  const { data: manual = [] } = useAnswer(
    'config keys',
    async (signal) => (await call('listConfigKeys', { signal })).keys,
  )
  const { data: known } = useAnswer(
    'edges of layers',
    async (signal) => (await readWholeFleet(call, signal)).edges,
    // The layer of an edge inherits from the layer of its region.
    layer.kind === 'edge' ? {} : { after: config },
  )
  const edges = known ?? []
  const unknown = known && unknownLayer(layer, known)
  const draft = draftOf(layer)
  return (
    <Page
      title="Config"
      about="Layers override each edge’s own file: first the global layer, then the region’s, then the edge’s. Every change is a numbered revision."
    >
      <div class="filters">
        <Select
          label="Layer"
          options={layersOf(edges, layerText(layer), mine)}
          chosen={layerText(layer)}
          onChoice={(text) => choose({ layer: text })}
        />
      </div>
      {unknown !== undefined && <Note tone="warn">{unknown}</Note>}
      <Answered answer={config}>
        {({ revision, layers, rolling, coming }) => (
          <>
            {rolling && <RollingNote rolling={rolling} layer={layer} region={regionOf(edges, layer)} />}
            <ConfigLayer
              layer={layer}
              region={regionOf(edges, layer)}
              revision={revision}
              layers={layers}
              coming={coming}
              locked={lockOf(rolling, layer, { inWaves: false })}
              manual={manual}
            />
            {draft && (
              <ConfigDraft
                key={layerText(layer)}
                layer={layer}
                draft={draft}
                newest={revision}
                locked={lockOf(rolling, layer, { inWaves: false })}
                manual={manual}
                upstreams={upstreamsOf(edges)}
                onNewer={config.reload}
              />
            )}
          </>
        )}
      </Answered>
      {(config.data ?? config.problem) && <Revisions key={config.data?.revision} />}
    </Page>
  )
}

interface RollingProps {
  rolling: RolloutSummary
  layer: LayerName
  region: string | undefined
}

/** The effect of the rollout on changes of the layer on the page. */
function RollingNote({ rolling, layer, region }: RollingProps) {
  const { revision, state } = rolling
  const [own, other] = [layerText(layer), layerText(rolling.layer)]
  const isBelow = chainOf(layer, region).includes(other)
  return (
    <Note tone="warn">
      Revision {revision} of {other} is being rolled out{state === 'paused' && ' (paused)'}:{' '}
      <PageLink href={`/config/${revision}`}>see the rollout</PageLink>.{' '}
      {own === other
        ? `This layer can be changed when the rollout has ended. ${aroundLock[layer.kind]}`
        : isBelow
          ? 'This layer can be changed meanwhile. Its keys override those of the rollout, and its edges take part in the rollout.'
          : 'This layer can be changed meanwhile, without a rollout of its own.'}
    </Note>
  )
}

const regionOf = (edges: readonly EdgeView[], layer: LayerName) =>
  edges.find(({ id }) => layer.kind === 'edge' && id === layer.name)?.region

/** `mine`: the regions that the user is limited to. The global layer is not within them. */
function layersOf(
  edges: readonly EdgeView[],
  chosen: string,
  mine: readonly string[] | undefined,
): [string, string][] {
  const regions = [...new Set([...(mine ?? []), ...edges.map(({ region }) => region)])].sort()
  const texts = [
    ...(mine ? [] : ['global']),
    ...regions.map((name) => `region/${name}`),
    ...edges.map(({ id }) => `edge/${id}`).sort(),
  ]
  return [...new Set([...texts, chosen])].map((text) => [text, text])
}

const upstreamsOf = (edges: readonly EdgeView[]) => [
  ...new Set(edges.flatMap(({ upstreams = [] }) => upstreams.map(({ name }) => name))),
]

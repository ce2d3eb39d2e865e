/** The configuration of the fleet: a layer, the draft of its changes, and the revisions. */
import { layerText, type EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { readWholeFleet } from '../fleet/all-edges.ts'
import { draftOf } from '../fleet/drafts.ts'
import { layerIn } from '../fleet/layer.ts'
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
  const layer = layerIn(search.value.get('layer'))
  const edges =
    useAnswer('edges of layers', async (signal) => (await readWholeFleet(call, signal)).edges).data ?? []
  const config = useAnswer(
    'config',
    async (signal) => {
      const [view, newest] = await Promise.all([
        call('readConfig', { signal }),
        call('listRollouts', { query: { limit: 1 }, signal }),
      ])
      const rolling = newest.rollouts.find(({ state }) => state === 'running' || state === 'paused')
      // The layers have it only when the rollout is complete.
      const coming =
        rolling && (await call('readRevision', { params: { revision: rolling.revision }, signal }))
      return { ...view, rolling, coming: coming?.revision }
    },
    { everyMs: refreshMs },
  )
  const draft = draftOf(layer)
  return (
    <Page
      title="Config"
      about="Layers override each edge’s own file: first the global layer, then the region’s, then the edge’s. Every change is a numbered revision."
    >
      <div class="filters">
        <Select
          label="Layer"
          options={layersOf(edges, layerText(layer))}
          chosen={layerText(layer)}
          onChoice={(text) => choose({ layer: text })}
        />
      </div>
      <Answered answer={config}>
        {({ revision, layers, rolling, coming }) => (
          <>
            {rolling && (
              <Note tone="warn">
                Revision {rolling.revision} is being rolled out{rolling.state === 'paused' && ' (paused)'}.
                The configuration cannot be changed until the rollout has ended:{' '}
                <PageLink href={`/config/${rolling.revision}`}>see the rollout</PageLink>.
              </Note>
            )}
            <ConfigLayer
              layer={layer}
              region={edges.find(({ id }) => layer.kind === 'edge' && id === layer.name)?.region}
              revision={revision}
              layers={layers}
              coming={coming && layerText(coming.layer) === layerText(layer) ? coming : undefined}
            />
            {draft && (
              <ConfigDraft
                key={layerText(layer)}
                layer={layer}
                draft={draft}
                newest={revision}
                upstreams={upstreamsOf(edges)}
                onNewer={config.reload}
              />
            )}
          </>
        )}
      </Answered>
      <Revisions key={config.data?.revision} />
    </Page>
  )
}

function layersOf(edges: readonly EdgeView[], chosen: string): [string, string][] {
  const regions = [...new Set(edges.map(({ region }) => region))].sort()
  const texts = [
    'global',
    ...regions.map((name) => `region/${name}`),
    ...edges.map(({ id }) => `edge/${id}`).sort(),
  ]
  return [...new Set([...texts, chosen])].map((text) => [text, text])
}

const upstreamsOf = (edges: readonly EdgeView[]) => [
  ...new Set(edges.flatMap(({ upstreams = [] }) => upstreams.map(({ name }) => name))),
]

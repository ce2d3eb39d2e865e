/** The configuration of the fleet: a layer, the changes one is making to it, and what was changed before. */
import type { LayerName } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { leavesOf, textOf, type DraftChange } from '../fleet/draft.ts'
import { layerIn, layerText } from '../fleet/layer.ts'
import { Page } from '../layout/page.tsx'
import { choose, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Empty } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { ConfigDraft } from './config-draft.tsx'
import { Revisions } from './revisions.tsx'
import './config.css'

export function Config() {
  const layer = layerIn(search.value.get('layer'))
  const config = useAnswer('config', (signal) => api.config(signal))
  return (
    <Page
      title="Config"
      about="Layers lie over each edge’s own file: the global one, then its region’s, then its own. A change becomes a numbered revision."
    >
      <LayerChoice layer={layer} />
      <Answered answer={config}>
        {({ revision, layers }) => (
          <Layer
            key={`${layerText(layer)} ${revision}`}
            layer={layer}
            revision={revision}
            values={leavesOf(layers[layerText(layer)] ?? {})}
            onNewer={config.reload}
          />
        )}
      </Answered>
      <Revisions key={config.data?.revision} />
    </Page>
  )
}

function LayerChoice({ layer }: { layer: LayerName }) {
  const edges = useAnswer('edges of layers', async (signal) => (await api.edges(signal)).edges)
  const known = edges.data ?? []
  const regions = [...new Set(known.map(({ region }) => region))].sort()
  const texts = [
    'global',
    ...regions.map((name) => `region/${name}`),
    ...known.map(({ id }) => `edge/${id}`).sort(),
  ]
  const chosen = layerText(layer)
  return (
    <label class="field layer-choice">
      <span>Layer</span>
      <select class="input" value={chosen} onChange={(event) => choose({ layer: event.currentTarget.value })}>
        {[...new Set([chosen, ...texts])].map((text) => (
          <option key={text} value={text}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

interface LayerProps {
  layer: LayerName
  revision: number
  values: readonly { key: string; value: unknown }[]
  onNewer: () => void
}

function Layer({ layer, revision, values, onNewer }: LayerProps) {
  const [changes, setChanges] = useState<readonly DraftChange[]>([])
  const begin = (key: string, text: string | undefined) =>
    setChanges([...changes.filter((change) => change.key !== key), { key, text }])
  return (
    <>
      <Card
        title={layerText(layer)}
        about={`What it sets, as of revision ${revision}.`}
        actions={
          <button type="button" class="button primary" onClick={() => begin('', '')}>
            Set a key
          </button>
        }
      >
        {values.length === 0 ? (
          <Empty title="This layer sets nothing">
            Edges run what the layers beneath it and their own file say.
          </Empty>
        ) : (
          <Table
            caption={`Keys of ${layerText(layer)}`}
            rows={values}
            keyOf={({ key }) => key}
            columns={[
              { title: 'Key', kind: 'head', cell: ({ key }) => <code>{key}</code> },
              { title: 'Value', kind: 'wide', cell: ({ value }) => <code>{textOf(value)}</code> },
              {
                title: '',
                kind: 'fixed',
                cell: ({ key, value }) => (
                  <span class="row">
                    <button type="button" class="button small" onClick={() => begin(key, textOf(value))}>
                      Change
                    </button>
                    <button type="button" class="button small" onClick={() => begin(key, undefined)}>
                      Take out
                    </button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </Card>
      {changes.length > 0 && (
        <ConfigDraft
          layer={layer}
          revision={revision}
          changes={changes}
          onChanges={setChanges}
          onNewer={onNewer}
        />
      )}
    </>
  )
}

/** The connections of an edge to mail servers, by state. */
import type { EdgeView } from '@imapfleet/api'
import { amountOf, countOf } from '../format/number.ts'
import { Bar } from '../ui/bar.tsx'
import { Card } from '../ui/card.tsx'

const states = [
  { key: 'idle', name: 'Idle', text: 'logged in and clean, kept for their user' },
  { key: 'leased', name: 'In use', text: 'used by a session' },
  { key: 'resetting', name: 'Resetting', text: 'being reset after a session' },
  { key: 'dialing', name: 'Dialing', text: 'being opened and logged in' },
] as const

export function EdgePool({ edge }: { edge: EdgeView }) {
  const pool = edge.pool ?? { idle: 0, leased: 0, resetting: 0, dialing: 0, waiting: 0 }
  const all = states.reduce((sum, { key }) => sum + pool[key], 0)
  return (
    <Card title="Connections to mail servers" about={`${countOf(all)} as of the last heartbeat`}>
      <div class="card-body pool">
        <Bar
          label={states.map(({ key, name }) => `${name}: ${pool[key]}`).join(', ')}
          parts={states.map(({ key }) => pool[key])}
        />
        <ul>
          {states.map(({ key, name, text }, index) => (
            <li key={key}>
              <span class={`swatch part-${index + 1}`} />
              <strong>{countOf(pool[key])}</strong>
              <span>
                {name} <span class="soft">{text}</span>
              </span>
            </li>
          ))}
        </ul>
        <p class="soft">
          {amountOf(edge.connections.clients, 'client')} connected,{' '}
          {pool.waiting === 0 ? 'no logins waiting' : `${amountOf(pool.waiting, 'login')} waiting`} for a
          connection.
        </p>
      </div>
    </Card>
  )
}

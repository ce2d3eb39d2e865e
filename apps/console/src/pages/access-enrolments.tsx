/** Enrolments: the credentials of edges for NATS, issued, shown once, revoked. */
import type { EnrolmentMade, EnrolmentView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { PageLink } from '../router/link.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { Empty, EmptyCommand } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { expiries, expirySeconds } from './expiry.ts'
import { SecretsCard } from './secrets-card.tsx'

export const EnrolmentsCard = () => (
  <SecretsCard<EnrolmentView, EnrolmentMade, number>
    title="Enrolments"
    about="The credential with which an edge connects to NATS. It is shown only when it is made."
    name="enrolments"
    load={async (page, signal) => {
      const { enrolments, next } = await call('listEnrolments', { query: page, signal })
      return { rows: enrolments, next }
    }}
    keyOf={({ key }) => key}
    columns={{ first: edgeColumns, last: [keyColumn] }}
    pending={({ revokedAt, enforcedAt }) =>
      revokedAt !== null && enforcedAt === null ? 'not sent to NATS yet' : undefined
    }
    empty={
      <Empty title="No valid credential here">
        {' '}
        Enrol an edge above, or with{' '}
        <EmptyCommand text="imapfleet edges enroll NAME --region REGION" after="." /> Edges that share a token
        are not listed.
      </Empty>
    }
    make={{
      action: 'Enrol an edge',
      dialog: (onMade, onClose) => <Enrol onMade={onMade} onClose={onClose} />,
    }}
    secretOf={({ edge, credentials }) => ({
      title: `The credential of ${edge}`,
      about:
        'Keep it now: it is not shown again. On the host of the edge, fleet.credentialsFile names its file.',
      secret: credentials,
      file: `${edge}.creds`,
    })}
    revoke={{
      nameOf: ({ edge }) => edge,
      what: 'credential',
      call: ({ edge, key }) => call('revokeEnrolments', { params: { id: edge }, query: { key } }),
      effect:
        'NATS closes the connection of the edge. It continues to serve mail with its last configuration, and cannot be ' +
        'reached until it has another credential.',
    }}
  />
)

const edgeColumns: readonly TableColumn<EnrolmentView>[] = [
  {
    title: 'Edge',
    kind: 'head',
    cell: ({ edge }) => <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink>,
  },
  { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
]

const keyColumn: TableColumn<EnrolmentView> = {
  title: 'Key',
  kind: 'fixed',
  cell: ({ key }) => <code title={key}>{`${key.slice(0, 8)}…`}</code>,
}

function Enrol({ onMade, onClose }: { onMade: (enrolment: EnrolmentMade) => void; onClose: () => void }) {
  const [edge, setEdge] = useState('')
  const [region, setRegion] = useState('')
  const [expiry, setExpiry] = useState('')
  return (
    <ConfirmDialog
      title="Enrol an edge"
      action="Enrol"
      isComplete={edge.trim() !== '' && region.trim() !== ''}
      onConfirm={async () => {
        const body = { region: region.trim(), expiresInSeconds: expirySeconds(expiry) }
        onMade(await call('enrollEdge', { params: { id: edge.trim() }, body }))
      }}
      onClose={onClose}
    >
      <div class="access-form">
        <Field
          label="Edge"
          value={edge}
          onValue={setEdge}
          placeholder="eu-3"
          autocomplete="off"
          autofocus
          hint="As edge.id in its file."
        />
        <Field label="Region" value={region} onValue={setRegion} placeholder="eu" autocomplete="off" />
        <Select
          label="Valid for"
          options={expiries}
          chosen={expiry}
          onChoice={setExpiry}
          hint="An edge with an expired credential serves mail, but leaves the fleet. An alert warns before the expiry."
        />
      </div>
    </ConfirmDialog>
  )
}

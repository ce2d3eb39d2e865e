/** Asks for the reason and the time of an acknowledgement or a silence. */
import { alertRuleNames, type AlertRuleName, type AlertView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { alertText } from '../fleet/alert-words.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { tell } from '../ui/toast.tsx'

interface SilencePreset {
  rule?: AlertRuleName | undefined
  region?: string | undefined
  edge?: string | undefined
  subject?: string | undefined
}

export type Muting = { kind: 'acknowledge'; alert: AlertView } | { kind: 'silence'; preset: SilencePreset }

const times = [
  ['1800', '30 minutes'],
  ['3600', '1 hour'],
  ['14400', '4 hours'],
  ['43200', '12 hours'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
] as const

interface MuteProps {
  muting: Muting
  onDone: () => void
  onClose: () => void
}

export const MuteDialog = ({ muting, ...rest }: MuteProps) =>
  muting.kind === 'acknowledge' ? (
    <Acknowledge alert={muting.alert} {...rest} />
  ) : (
    <Silence preset={muting.preset} {...rest} />
  )

function Acknowledge({ alert, onDone, onClose }: Omit<MuteProps, 'muting'> & { alert: AlertView }) {
  const [reason, setReason] = useState('')
  const [seconds, setSeconds] = useState('14400')
  return (
    <ConfirmDialog
      title={`Acknowledge alert ${alert.id}?`}
      action="Acknowledge"
      isComplete={reason.trim() !== ''}
      onConfirm={async () => {
        const body = { reason, seconds: Number(seconds) }
        await call('acknowledgeAlert', { params: { id: alert.id }, body })
        onDone()
        tell('good', `Alert ${alert.id} is acknowledged.`)
      }}
      onClose={onClose}
    >
      <p>{alertText(alert, new Date())}. If the alert is still open after this time, it is sent again.</p>
      <Field label="Reason" value={reason} onValue={setReason} autocomplete="off" autofocus />
      <Select label="For" options={times} chosen={seconds} onChoice={setSeconds} />
    </ConfirmDialog>
  )
}

function Silence({ preset, onDone, onClose }: Omit<MuteProps, 'muting'> & { preset: SilencePreset }) {
  const [rule, setRule] = useState<string>(preset.rule ?? '')
  const [region, setRegion] = useState(preset.region ?? '')
  const [edge, setEdge] = useState(preset.edge ?? '')
  const [reason, setReason] = useState('')
  const [seconds, setSeconds] = useState('3600')
  const isAll = rule === '' && region.trim() === '' && edge.trim() === ''
  return (
    <ConfirmDialog
      title="Silence alerts?"
      action="Silence"
      {...(isAll && { name: 'everything', isDangerous: true })}
      isComplete={reason.trim() !== ''}
      onConfirm={async () => {
        // The subject was chosen together with its rule.
        const subject = rule === preset.rule ? preset.subject : undefined
        await call('silenceAlerts', {
          body: {
            rule: alertRuleNames.find((name) => name === rule),
            region: region.trim() || undefined,
            edge: edge.trim() || undefined,
            subject,
            reason,
            seconds: Number(seconds),
          },
        })
        onDone()
        tell('good', 'Nothing is sent about these alerts until the silence ends.')
      }}
      onClose={onClose}
    >
      <p>Nothing is sent about alerts that match all fields. An empty field matches every alert.</p>
      <Select
        label="Rule"
        options={[['', 'every rule'], ...alertRuleNames.map((name) => [name, name] as const)]}
        chosen={rule}
        onChoice={setRule}
      />
      <Field label="Region" value={region} onValue={setRegion} autocomplete="off" />
      <Field label="Edge" value={edge} onValue={setEdge} autocomplete="off" />
      <Field label="Reason" value={reason} onValue={setReason} autocomplete="off" />
      <Select label="For" options={times} chosen={seconds} onChoice={setSeconds} />
    </ConfirmDialog>
  )
}

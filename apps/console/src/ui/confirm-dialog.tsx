/**
 * Asks for confirmation of actions that users notice or that cannot be undone: the name of the object must be typed.
 * If control refuses, it stays open and shows the reason.
 */
import { safe } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { sentenceOf } from '../api/client.ts'
import { Field } from './field.tsx'

interface ConfirmDialogProps {
  title: string
  /** What the action does. */
  children: ComponentChildren
  /** The name to type, as it is shown; undefined: a button is enough. */
  name?: string
  /** The text of the button. */
  action: string
  isDangerous?: boolean
  /** False while other input is missing. */
  isComplete?: boolean
  onConfirm: () => Promise<void>
  onClose: () => void
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, name, action, isDangerous = false, isComplete = true, onConfirm, onClose } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  const [typed, setTyped] = useState('')
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => dialog.current?.showModal(), [])
  const isReady = !isBusy && isComplete && (name === undefined || typed.trim() === safe(name).trim())

  const confirm = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      await onConfirm()
      dialog.current?.close()
    } catch (error) {
      setProblem(sentenceOf(error))
      setBusy(false)
    }
  }

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={heading} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady) void confirm()
        }}
      >
        <h2 id={heading}>{title}</h2>
        <div>{children}</div>
        {name !== undefined && (
          <Field label={`Type ${name} to confirm`} value={typed} onValue={setTyped} autocomplete="off" />
        )}
        {problem !== undefined && (
          <p class="note bad" role="alert">
            {problem}
          </p>
        )}
        <div class="row">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={`button primary ${isDangerous ? 'danger' : ''}`} disabled={!isReady}>
            {isBusy ? 'Working …' : action}
          </button>
        </div>
      </form>
    </dialog>
  )
}

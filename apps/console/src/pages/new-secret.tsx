/** Shows a secret that control returns only once, to copy or save it. */
import { useEffect, useId, useRef } from 'preact/hooks'
import { saveFile } from '../ui/save-file.ts'
import { tell } from '../ui/toast.tsx'

interface NewSecretProps {
  title: string
  about: string
  secret: string
  /** The name of the file to save. */
  file: string
  onClose: () => void
}

export function NewSecret({ title, about, secret, file, onClose }: NewSecretProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => dialog.current?.showModal(), [])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret)
      tell('good', 'Copied.')
    } catch {
      tell('bad', 'The browser did not allow copying: select the text instead.')
    }
  }
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={heading} onClose={onClose}>
      <form method="dialog" class="secret">
        <h2 id={heading}>{title}</h2>
        <p>{about}</p>
        <pre class="text-block" tabIndex={0}>
          {secret}
        </pre>
        <div class="row">
          {/* Without https, browsers have no clipboard. */}
          {window.isSecureContext && (
            <button type="button" class="button" onClick={() => void copy()}>
              Copy
            </button>
          )}
          <button type="button" class="button" onClick={() => saveFile(file, 'text/plain', secret)}>
            Save as a file
          </button>
          <button type="submit" class="button primary">
            Done
          </button>
        </div>
      </form>
    </dialog>
  )
}

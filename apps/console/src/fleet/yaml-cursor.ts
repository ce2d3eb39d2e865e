/** The key at a place in a YAML text, by its indentation, also while the text is not valid. */

/** `pool.usesMax`; the section, such as `pool`, on an empty line below it. Empty: at the top level. */
export function keyAt(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n').length - 1
  const lines = text.split('\n')
  const current = lines[before] ?? ''
  let indent = current.trim() === '' ? current.length : indentOf(current)
  const parts: string[] = current.trim() === '' ? [] : nameIn(current)
  for (let at = before - 1; at >= 0 && indent > 0; at--) {
    const line = lines[at] ?? ''
    if (line.trim() === '' || line.trim().startsWith('#') || indentOf(line) >= indent) continue
    const name = nameIn(line)
    if (name.length > 0) indent = indentOf(line)
    parts.unshift(...name)
  }
  return parts.join('.')
}

/** All keys in the text. */
export function keysOfYaml(text: string): string[] {
  let offset = 0
  return text.split('\n').flatMap((line) => {
    const key = line.trim() === '' ? '' : keyAt(text, offset)
    offset += line.length + 1
    return key === '' ? [] : [key]
  })
}

const indentOf = (line: string): number => line.length - line.trimStart().length

function nameIn(line: string): string[] {
  const name = /^\s*["']?([\w.-]+)["']?\s*:/.exec(line)?.[1]
  return name === undefined ? [] : [name]
}

/**
 * JSON from outside. JSON.parse accepts more than a request may contain: any depth, the same key twice, and `__proto__` as
 * a key, which would become the prototype of copies of the object.
 */

/** Objects and arrays within each other. */
const depthMax = 32

/** Throws a SyntaxError with a sentence for the client. */
export function parseJsonText(text: string): unknown {
  refuseFaults(text)
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError('The body is not valid JSON.')
  }
}

/** Looks at brackets and keys only. What is no JSON is left to JSON.parse. */
function refuseFaults(text: string): void {
  /** The keys of each object that is open, or undefined for an array. */
  const open: (Set<string> | undefined)[] = []
  let mayBeKey = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined)
      if (open.length > depthMax) throw new SyntaxError(`The body has more than ${depthMax} levels.`)
      mayBeKey = true
    } else if (character === '}' || character === ']') open.pop()
    else if (character === ',') mayBeKey = true
    else if (character === ':') mayBeKey = false
    else if (character === '"') {
      const end = endOfString(text, at)
      const keys = open.at(-1)
      if (keys && mayBeKey) takeKey(keys, text.slice(at, end + 1))
      mayBeKey = false
      at = end
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function takeKey(keys: Set<string>, quoted: string): void {
  const key = unquoted(quoted)
  if (key === '__proto__') throw new SyntaxError('The body has the key __proto__.')
  if (keys.has(key)) throw new SyntaxError(`The body has the key ${JSON.stringify(key.slice(0, 100))} twice.`)
  keys.add(key)
}

/** A key with a wrong escape stays as it is: JSON.parse refuses it. */
function unquoted(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted
  }
}

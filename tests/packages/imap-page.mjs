/** Logs in and out, as webmail does for a page. Runs on a host without packages: `node imap-page.mjs PORT USER PASSWORD`. */
import { connect } from 'node:net'

const [port, user, password] = process.argv.slice(2)
const socket = connect({ port: Number(port), host: '127.0.0.1' })
let text = ''
socket.setEncoding('latin1').on('data', (chunk) => {
  text += chunk
  if (text.startsWith('* OK') && !text.includes('sent')) {
    text += 'sent\r\n'
    socket.write(`a LOGIN ${user} ${password}\r\n`)
  }
  if (/^a (?:OK|NO|BAD)/m.test(text) && !text.includes('left')) {
    text += 'left\r\n'
    socket.write('b LOGOUT\r\n')
  }
})
socket.on('close', () => process.stdout.write(text))
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')))

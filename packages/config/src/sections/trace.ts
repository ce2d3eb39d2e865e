/** `trace`: the file that the protocol of traced users is written to. */
import { z } from 'zod'
import { byteCount, field, filePath, hostField } from '../fields.ts'

export const traceSection = z
  .strictObject({
    file: hostField(
      filePath.optional(),
      'File that the traces of XPROXY_TRACE are appended to. Absent: there is no file, and XPROXY_TRACE is refused. In imapproxy.conf: protocol_log_filename.',
    ),
    bytesMax: field(
      byteCount(1024).default(16_777_216),
      'Bytes that one trace may write to the file before it ends. A trace ordered by the fleet has a limit of its own.',
    ),
  })
  .prefault({})

/** CRC-32C (Castagnoli), as Kafka's record batches and the spool's segments use it. */
import { crc32c as native } from '@node-rs/crc32';

/** The checksum as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  return native(bytes);
}

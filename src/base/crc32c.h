/* The two ways crc32c() (base/hash.h) may go, apart so that tests compare them. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c_table(uint32_t crc, const void *p, size_t n);
/* Whether this processor has the instruction; else crc32c_hardware must not run. */
bool crc32c_hardware_present(void);
uint32_t crc32c_hardware(uint32_t crc, const void *p, size_t n);

#endif

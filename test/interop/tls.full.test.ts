/**
 * The TLS driver of the chip against `openssl s_server`, Node and liars, with the Mbed TLS of Debian (2.28) and with 3.6 of a
 * package where it can be had. Sanitizers are on. 4.x: see docs/tls.md.
 */
import { withEachMbedTls } from "../support/each-mbedtls.js";
import { tlsCases } from "../support/tls-cases.js";

withEachMbedTls("TLS", tlsCases);

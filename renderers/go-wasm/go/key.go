package gowasm

import "strconv"

// RSAKey gives a new private key of so many bits, as PKCS #1 in DER. The host makes it: its own cryptography takes a tenth of the time that Go's takes here.
func RSAKey(bits int) ([]byte, error) { return ask(askKey, strconv.Itoa(bits)) }

// Package keys stands in for crypto/rsa where templates make keys.
package keys

import (
	"crypto/rsa"
	"crypto/x509"
	"io"

	"mooring.dev/gowasm"
)

// PrivateKey is that of crypto/rsa.
type PrivateKey = rsa.PrivateKey

// GenerateKey has the host make a key; its randomness is the host's, too.
func GenerateKey(_ io.Reader, bits int) (*PrivateKey, error) {
	der, err := gowasm.RSAKey(bits)
	if err != nil {
		return nil, err
	}
	return x509.ParsePKCS1PrivateKey(der)
}

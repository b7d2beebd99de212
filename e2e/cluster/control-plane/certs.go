package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A clock that was set back a little must not make a fresh certificate invalid.
const (
	clockSkew = time.Hour
	lifetime  = 365 * 24 * time.Hour
)

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// leaf is one certificate to make: file is its name without .crt and .key, user and groups are what RBAC sees.
type leaf struct {
	file   string
	user   string
	groups []string
	server bool
	names  []string
	ips    []net.IP
}

// runCerts writes what a cluster on this machine needs into a folder: two authorities (ca, front-proxy-ca), a pair
// NAME.crt and NAME.key for every program, and the service account keys sa.key and sa.pub. Files are for their owner only.
func runCerts() int {
	flags := flag.NewFlagSet("certs", flag.ExitOnError)
	dir := flags.String("dir", "", "folder to write into; it must exist")
	serviceIP := flags.String("service-ip", "10.96.0.1", "cluster IP of the kubernetes service")
	node := flags.String("node", "localhost", "name of the node")
	_ = flags.Parse(os.Args[1:])
	if err := writeCerts(*dir, *serviceIP, *node); err != nil {
		fmt.Fprintf(os.Stderr, "certs: %v\n", err)
		return 1
	}
	return 0
}

func writeCerts(dir, serviceIP, node string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("--dir %q is not a folder", dir)
	}
	service := net.ParseIP(serviceIP)
	if service == nil {
		return fmt.Errorf("--service-ip %q is not an IP address", serviceIP)
	}
	loopback := net.IPv4(127, 0, 0, 1)

	ca, err := newAuthority(dir, "ca")
	if err != nil {
		return err
	}
	leaves := []leaf{
		{
			file: "apiserver", user: "kube-apiserver", server: true,
			names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
			ips:   []net.IP{loopback, service},
		},
		{file: "kubelet-server", user: node, server: true, names: []string{node, "localhost"}, ips: []net.IP{loopback}},
		{file: "apiserver-kubelet-client", user: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}},
		{file: "admin", user: "kubernetes-admin", groups: []string{"system:masters"}},
		{file: "controller-manager", user: "system:kube-controller-manager"},
		{file: "scheduler", user: "system:kube-scheduler"},
		{file: "kubelet", user: "system:node:" + node, groups: []string{"system:nodes"}},
	}
	for _, l := range leaves {
		if err := ca.issue(dir, l); err != nil {
			return err
		}
	}
	proxy, err := newAuthority(dir, "front-proxy-ca")
	if err != nil {
		return err
	}
	if err := proxy.issue(dir, leaf{file: "front-proxy-client", user: "front-proxy-client"}); err != nil {
		return err
	}

	// Service account tokens are signed with RSA, as kubeadm does, so that every client library can check them.
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	if err := writeKey(filepath.Join(dir, "sa.key"), signer); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, "sa.pub"), "PUBLIC KEY", public)
}

func newAuthority(dir, file string) (authority, error) {
	template, err := newTemplate(pkix.Name{CommonName: file})
	if err != nil {
		return authority{}, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, key, err := sign(dir, file, template, nil)
	if err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return authority{cert: cert, key: key}, err
}

func (a authority) issue(dir string, l leaf) error {
	template, err := newTemplate(pkix.Name{CommonName: l.user, Organization: l.groups})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if l.server {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.DNSNames = l.names
		template.IPAddresses = l.ips
	}
	_, _, err = sign(dir, l.file, template, &a)
	return err
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: now.Add(-clockSkew), NotAfter: now.Add(lifetime)}, nil
}

// sign makes a key, has the parent (or the key itself, without one) certify it, and writes both files.
func sign(dir, file string, template *x509.Certificate, parent *authority) ([]byte, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	issuer := authority{cert: template, key: key}
	if parent != nil {
		issuer = *parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, nil, err
	}
	if err := writePEM(filepath.Join(dir, file+".crt"), "CERTIFICATE", der); err != nil {
		return nil, nil, err
	}
	return der, key, writeKey(filepath.Join(dir, file+".key"), key)
}

func writeKey(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

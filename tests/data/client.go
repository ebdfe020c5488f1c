// Calls PORT as NAME in a VERSION of TLS, believes root.pem, presents partner.pem, prints the answer.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	port, name := os.Args[1], os.Args[2]
	version := map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}[os.Args[3]]
	own, err := tls.LoadX509KeyPair("partner.pem", "partner.key")
	if err != nil {
		panic(err)
	}
	root, err := os.ReadFile("root.pem")
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	connection, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{
		Certificates: []tls.Certificate{own},
		RootCAs:      roots,
		ServerName:   name,
		MinVersion:   version,
		MaxVersion:   version,
	})
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: %s:%s\r\n\r\n", name, port)
	answer, err := io.ReadAll(connection)
	os.Stdout.Write(answer)
	if err != nil {
		panic(err)
	}
}

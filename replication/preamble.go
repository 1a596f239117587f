package replication

import (
	"fmt"
	"io"
	"strings"
)

const (
	protocolName = "tierdesk-raft/1"
	maxLine      = 512 // bytes of a preamble or an answer, line end included
	accepted     = "ok"
)

// preamble is the first line on a connection, from the dialler: Raft's own messages name neither the site nor the server
// that they are meant for, and a wiped disk must not get the messages of the server that it once was.
type preamble struct {
	site, from, to string
}

func (p preamble) String() string {
	return strings.Join([]string{protocolName, p.site, p.from, p.to}, " ")
}

func parsePreamble(line string) (preamble, error) {
	words := strings.Split(line, " ")
	if words[0] != protocolName {
		return preamble{}, fmt.Errorf("it speaks %q, not %s", words[0], protocolName)
	}
	if len(words) != 4 || words[1] == "" || words[2] == "" || words[3] == "" {
		return preamble{}, fmt.Errorf("its first line %q does not name site, sender and receiver", line)
	}
	return preamble{site: words[1], from: words[2], to: words[3]}, nil
}

// judge tells why a server does not take the connection, nil when it does.
func (p preamble) judge(site, self string) error {
	switch {
	case p.site != site:
		return fmt.Errorf("server %s belongs to site %s; this is site %s", p.from, p.site, site)
	case p.to != self:
		return fmt.Errorf("server %s looks for server %s; this is server %s", p.from, p.to, self)
	default:
		return nil
	}
}

// readLine reads up to the line end and not a byte more.
func readLine(r io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for len(line) < maxLine {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[0])
	}
	return "", fmt.Errorf("a first line of more than %d bytes", maxLine)
}

func writeLine(w io.Writer, line string) error {
	_, err := io.WriteString(w, line[:min(len(line), maxLine-1)]+"\n")
	return err
}

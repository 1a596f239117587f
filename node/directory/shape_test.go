package directory

import (
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// shape tells how a compiled filter is built, without the values in it.
func shape(p *ber.Packet) string {
	if len(p.Children) == 0 {
		return fmt.Sprint(p.Tag)
	}
	var inner []string
	for _, child := range p.Children {
		inner = append(inner, shape(child))
	}
	return fmt.Sprintf("%d[%s]", p.Tag, strings.Join(inner, " "))
}

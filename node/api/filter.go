package api

import (
	"errors"
	"io"
	"strings"

	"go.einride.tech/aip/filtering"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Bounds of a filter, so that a row is looked at in bounded time.
const (
	maxFilter     = 4096 // bytes
	maxConditions = 32
)

// condition is one comparison of a filter: field, operator, value.
type condition struct {
	field   field
	op      filtering.TokenType
	value   string
	matches func(*deskpb.Ticket) bool
}

// filter is what a ticket must meet to be listed: every condition. It is the part of AIP-160 that indexes can serve:
// comparisons joined by AND.
type filter []condition

func (f filter) matches(ticket *deskpb.Ticket) bool {
	for _, c := range f {
		if !c.matches(ticket) {
			return false
		}
	}
	return true
}

// compileFilter reads a filter. Errors are refusals of the request's field "filter".
func compileFilter(fields []field, text string) (filter, error) {
	if len(text) > maxFilter {
		return nil, refuseFilter("is longer than %d bytes", maxFilter)
	}
	tokens, err := lexFilter(text)
	if err != nil {
		return nil, err
	}
	p := filterParser{fields: fields, tokens: tokens}
	if p.skipSpace(); p.done() {
		return nil, nil
	}
	var compiled filter
	for {
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		if compiled = append(compiled, c); len(compiled) > maxConditions {
			return nil, refuseFilter("has more than %d conditions", maxConditions)
		}
		if p.skipSpace(); p.done() {
			return compiled, nil
		}
		if err := p.and(); err != nil {
			return nil, err
		}
	}
}

func refuseFilter(format string, args ...any) error {
	return desk.RefuseField("filter", format, args...)
}

func lexFilter(text string) ([]filtering.Token, error) {
	var lexer filtering.Lexer
	lexer.Init(text)
	var tokens []filtering.Token
	for {
		token, err := lexer.Lex()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return nil, refuseFilter("has a quotation mark without its partner; write \"value\"")
		}
		tokens = append(tokens, token)
	}
}

// filterParser goes through the tokens of a filter once, from left to right.
type filterParser struct {
	fields []field
	tokens []filtering.Token
	next   int
}

func (p *filterParser) done() bool { return p.next == len(p.tokens) }

// peek returns the type of the next token, "" at the end.
func (p *filterParser) peek() filtering.TokenType {
	if p.done() {
		return ""
	}
	return p.tokens[p.next].Type
}

func (p *filterParser) skipSpace() {
	for p.peek() == filtering.TokenTypeWhitespace {
		p.next++
	}
}

// rest quotes what stands from here on, for messages.
func (p *filterParser) rest() string {
	var rest strings.Builder
	for _, token := range p.tokens[p.next:] {
		rest.WriteString(token.Value)
	}
	return rest.String()
}

// and reads the word between two conditions.
func (p *filterParser) and() error {
	switch p.peek() {
	case filtering.TokenTypeAnd:
		p.next++
		return nil
	case filtering.TokenTypeOr:
		return refuseFilter("OR is not supported; join conditions by AND, or ask twice")
	}
	return refuseFilter("%.60q is not expected here; join conditions by AND and put values with spaces into double quotes", p.rest())
}

// condition reads: field operator value.
func (p *filterParser) condition() (condition, error) {
	p.skipSpace()
	name, err := p.name()
	if err != nil {
		return condition{}, err
	}
	named, err := findField(p.fields, name)
	if err != nil {
		return condition{}, err
	}
	p.skipSpace()
	op := p.peek()
	if op == filtering.TokenTypeLeftParen {
		return condition{}, refuseFilter("functions such as %s(…) are not supported; compare a field with a value", name)
	}
	if !op.IsComparator() {
		return condition{}, refuseFilter("%s is not followed by an operator; write %s = value", name, name)
	}
	p.next++
	p.skipSpace()
	value, err := p.value()
	if err != nil {
		return condition{}, err
	}
	matches, err := named.compile(op, value)
	if err != nil {
		return condition{}, err
	}
	return condition{field: named, op: op, value: value, matches: matches}, nil
}

// name reads a field's name: words joined by dots.
func (p *filterParser) name() (string, error) {
	switch p.peek() {
	case "":
		return "", refuseFilter("ends where a condition should stand; write field = value")
	case filtering.TokenTypeNot, filtering.TokenTypeMinus:
		return "", refuseFilter("NOT is not supported; use != or another operator")
	case filtering.TokenTypeLeftParen:
		return "", refuseFilter("parentheses are not supported; join conditions by AND")
	}
	var name strings.Builder
	for p.peek() == filtering.TokenTypeText || p.peek() == filtering.TokenTypeDot {
		name.WriteString(p.tokens[p.next].Value)
		p.next++
	}
	if name.Len() == 0 {
		return "", refuseFilter("%.60q does not begin with a field; write field = value", p.rest())
	}
	return name.String(), nil
}

// value reads a quoted string, or a bare word: everything up to the next space, which lets numbers of tickets and times
// stand without quotes.
func (p *filterParser) value() (string, error) {
	if p.peek() == filtering.TokenTypeString {
		text, err := p.tokens[p.next].Unquote()
		if err != nil {
			return "", refuseFilter("%.60q has an escape that is unknown; escape only \\\" and \\\\", p.tokens[p.next].Value)
		}
		p.next++
		return text, nil
	}
	var word strings.Builder
	for !p.done() && p.peek() != filtering.TokenTypeWhitespace {
		token := p.tokens[p.next]
		switch token.Type {
		case filtering.TokenTypeText, filtering.TokenTypeNumber, filtering.TokenTypeHexNumber, filtering.TokenTypeMinus,
			filtering.TokenTypeDot, filtering.TokenTypeHas, filtering.TokenTypeComma,
			filtering.TokenTypeAnd, filtering.TokenTypeOr, filtering.TokenTypeNot:
			word.WriteString(token.Value)
			p.next++
		default:
			return "", refuseFilter("%.60q is not a value; put values with such signs into double quotes", p.rest())
		}
	}
	if word.Len() == 0 {
		return "", refuseFilter("ends where a value should stand; write \"\" for an empty one")
	}
	return word.String(), nil
}

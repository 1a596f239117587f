package console

import (
	"errors"
	"io"
	"strings"

	"go.einride.tech/aip/filtering"
)

// condition is one comparison of a filter of the API: field, operator, value.
type condition struct{ field, operator, value string }

// String writes the condition as the API reads it, whatever the value holds.
func (c condition) String() string {
	return c.field + " " + c.operator + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.value) + `"`
}

// conditions is a filter: a ticket meets all of them.
type conditions []condition

// String is the filter as the API reads it; empty for all tickets.
func (c conditions) String() string {
	parts := make([]string, len(c))
	for i, one := range c {
		parts[i] = one.String()
	}
	return strings.Join(parts, " AND ")
}

// value is what a field must equal; empty when nothing is said of it. Every ticket has a value where this is asked for.
func (c conditions) value(field, operator string) string {
	for _, one := range c {
		if one.field == field && one.operator == operator {
			return one.value
		}
	}
	return ""
}

// has tells whether the filter has a condition.
func (c conditions) has(wanted condition) bool {
	for _, one := range c {
		if one == wanted {
			return true
		}
	}
	return false
}

// without is the filter without some of its conditions.
func (c conditions) without(drop func(condition) bool) conditions {
	var rest conditions
	for _, one := range c {
		if !drop(one) {
			rest = append(rest, one)
		}
	}
	return rest
}

// errFilter says that a text is no filter; the API says what is wrong with it.
var errFilter = errors.New("the text is no filter of conditions joined by AND")

// readConditions takes a filter apart, as the API does. It does not check that the fields and values exist.
func readConditions(text string) (conditions, error) {
	tokens, err := tokensOf(text)
	if err != nil {
		return nil, err
	}
	var read conditions
	for len(tokens) > 0 {
		if len(read) > 0 {
			if tokens[0].Type != filtering.TokenTypeAnd {
				return nil, errFilter
			}
			tokens = skipSpace(tokens[1:])
		}
		var one condition
		if one, tokens, err = readCondition(tokens); err != nil {
			return nil, err
		}
		read = append(read, one)
	}
	return read, nil
}

// tokensOf cuts a filter into its tokens, without the space before the first one.
func tokensOf(text string) ([]filtering.Token, error) {
	var lexer filtering.Lexer
	lexer.Init(text)
	var tokens []filtering.Token
	for {
		token, err := lexer.Lex()
		if errors.Is(err, io.EOF) {
			return skipSpace(tokens), nil
		}
		if err != nil {
			return nil, errFilter
		}
		tokens = append(tokens, token)
	}
}

func skipSpace(tokens []filtering.Token) []filtering.Token {
	for len(tokens) > 0 && tokens[0].Type == filtering.TokenTypeWhitespace {
		tokens = tokens[1:]
	}
	return tokens
}

// readCondition reads field, operator and value, and returns what stands behind them.
func readCondition(tokens []filtering.Token) (read condition, rest []filtering.Token, err error) {
	for len(tokens) > 0 && (tokens[0].Type == filtering.TokenTypeText || tokens[0].Type == filtering.TokenTypeDot) {
		read.field += tokens[0].Value
		tokens = tokens[1:]
	}
	if tokens = skipSpace(tokens); read.field == "" || len(tokens) == 0 || !tokens[0].Type.IsComparator() {
		return condition{}, nil, errFilter
	}
	read.operator = tokens[0].Value
	if tokens = skipSpace(tokens[1:]); len(tokens) == 0 {
		return condition{}, nil, errFilter
	}
	if tokens[0].Type == filtering.TokenTypeString {
		if read.value, err = tokens[0].Unquote(); err != nil {
			return condition{}, nil, errFilter
		}
		return read, skipSpace(tokens[1:]), nil
	}
	for len(tokens) > 0 && tokens[0].Type != filtering.TokenTypeWhitespace {
		read.value += tokens[0].Value
		tokens = tokens[1:]
	}
	return read, skipSpace(tokens), nil
}

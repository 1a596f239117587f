package policyfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// flowWidth is how many characters an entry may have to stand on one line.
const flowWidth = 120

// Write writes a policy as Read reads it, always in the same form.
func Write(p *deskpb.Policy) ([]byte, error) {
	root := mapping(p.ProtoReflect())
	root.Style = 0
	for i := 0; i < len(root.Content); i += 2 {
		root.Content[i].HeadComment = comment(root.Content[i].Value)
	}
	out, err := encode(root)
	if err != nil {
		return nil, err
	}
	// Only comments begin a line so: a text of several lines is quoted.
	return bytes.ReplaceAll(out, []byte("\n# "), []byte("\n\n# ")), nil
}

// encode writes a node as YAML; nothing for one without content.
func encode(node *yaml.Node) ([]byte, error) {
	if len(node.Content) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("write the policy as YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("write the policy as YAML: %w", err)
	}
	return out.Bytes(), nil
}

// comment says what a section is.
func comment(section string) string {
	switch section {
	case "calendars":
		return "工作日历 when time counts"
	case "categories":
		return "分类 two levels"
	case "services":
		return "服务目录"
	case "applications":
		return "应用"
	case "priorities":
		return "优先级 rows: impact 1, 2, 3; columns: urgency 1, 2, 3"
	case "fault_levels":
		return "故障级别"
	case "hold_reasons":
		return "挂起原因"
	case "resolution_codes":
		return "解决代码"
	case "groups":
		return "处理组"
	case "targets":
		return "时限 the first one of a metric and tier that fits counts"
	case "dispatch":
		return "派单 the first one that fits counts"
	case "rosters":
		return "值班表"
	case "ladders":
		return "督办 the first one that fits counts"
	case "urging":
		return "催办"
	case "call_backs":
		return "回访"
	case "closing":
		return "办结"
	case "checklists":
		return "检查表、应急预案"
	case "templates":
		return "工单模板"
	case "macros":
		return "宏"
	case "rounds":
		return "巡检"
	case "approvals":
		return "审批"
	case "portal":
		return "运维网站 what anybody finds on the support site"
	}
	return ""
}

func mapping(m protoreflect.Message) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range keysOf(m.Descriptor()) {
		if m.Has(key.field) && !derived(m, key.field) {
			node.Content = append(node.Content, text(key.name, true), valueOf(m.Get(key.field), key.field))
		}
	}
	return flow(node)
}

// derived tells whether a field follows from another one when it is read.
func derived(m protoreflect.Message, field protoreflect.FieldDescriptor) bool {
	calendar, ok := m.Interface().(*deskpb.Calendar)
	if !ok || field.Name() != "shifts" || calendar.GetTimeZone() == "" {
		return false
	}
	shifts, err := zoneShifts(calendar.GetTimeZone())
	return err == nil && slices.EqualFunc(shifts, calendar.GetShifts(), func(a, b *deskpb.ZoneShift) bool { return proto.Equal(a, b) })
}

func valueOf(value protoreflect.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	switch {
	case field.IsMap():
		return dictionary(value.Map(), field.MapValue())
	case field.IsList():
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range value.List().Len() {
			node.Content = append(node.Content, single(value.List().Get(i), field))
		}
		return flow(node)
	}
	return single(value, field)
}

func single(value protoreflect.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	if field.Message() != nil {
		if short, quoted, ok := writeShort(value.Message()); ok {
			return text(short, quoted)
		}
		if matrix, ok := value.Message().Interface().(*deskpb.PriorityMatrix); ok {
			return rows(matrix)
		}
		return mapping(value.Message())
	}
	return text(formOf(field).write(value, field))
}

// rows writes a matrix as a list of its rows.
func rows(matrix *deskpb.PriorityMatrix) *yaml.Node {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	for row := range slices.Chunk(matrix.GetPriorities(), matrixWidth) {
		line := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, priority := range row {
			line.Content = append(line.Content, text(strconv.Itoa(int(priority)), false))
		}
		node.Content = append(node.Content, line)
	}
	return node
}

func dictionary(m protoreflect.Map, field protoreflect.FieldDescriptor) *yaml.Node {
	var names []string
	m.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		names = append(names, key.String())
		return true
	})
	slices.Sort(names)
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, name := range names {
		node.Content = append(node.Content, text(name, true), single(m.Get(protoreflect.ValueOfString(name).MapKey()), field))
	}
	return flow(node)
}

// text is one value. A string is quoted where it looks like something else.
func text(value string, quoted bool) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if quoted {
		node.Tag = "!!str"
	}
	if strings.ContainsFunc(value, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff
	}) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// flow puts a short node, in which nothing stands on lines of its own, on one line.
func flow(node *yaml.Node) *yaml.Node {
	width := 2
	for _, child := range node.Content {
		if child.Kind != yaml.ScalarNode && (child.Style != yaml.FlowStyle || node.Kind == yaml.SequenceNode) {
			return node
		}
		width += widthOf(child) + 2
	}
	if width <= flowWidth {
		node.Style = yaml.FlowStyle
	}
	return node
}

// widthOf is about how many columns a node takes on a line; Chinese characters take two.
func widthOf(node *yaml.Node) int {
	width := 2 * len(node.Content)
	for _, r := range node.Value {
		width++
		if r > 0x2000 {
			width++
		}
	}
	for _, child := range node.Content {
		width += widthOf(child)
	}
	return width
}

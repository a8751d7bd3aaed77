export {
  ExportModule, FilterModule, FormatModule, FrozenColumnsModule,
  PrintModule, ResizeTableModule, SortModule, Tabulator,
} from "tabulator-tables";

/** A template or an interface, by module and entity: the id of its package changes with every version. */
export const isEntity = (
  id: { readonly moduleName: string; readonly entityName: string } | undefined,
  moduleName: string,
  entityName: string,
): boolean => id?.moduleName === moduleName && id.entityName === entityName;
